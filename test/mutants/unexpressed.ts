/** Defects of the list that no mutant stands for, each with the reason. */
export const unexpressed: Readonly<Record<string, string>> = {
  L10: 'a wrong citation in a comment; the sources of laws are read by people',
  L23: 'needs the KTO objective and its mismatched pairs',
  L26: 'a wrong sentence in a docstring; the code is right',
  'class 46': 'needs adapters on the head',
  'class 52': 'a matter of memory, measured by tools/bench, not of values',
  'class 56': 'needs a grader of answers; its tests are golden transcripts',
  'class 57': 'no defect: both rewards falling is normal',
  'class 59': 'no defect of code: a method that is missing',
}

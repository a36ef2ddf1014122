/** What the customers of the helpdesk ask about: the vocabulary that the grammar speaks and the gold score understands. */

/** What a question is about in particular, each with the pattern that finds its values in a text. */
export const slots = {
  order: {
    values: Array.from({ length: 40 }, (_, index) => String(11 + index * 2)),
    pattern: /\b\d\d\b/g,
  },
  product: {
    values: [
      'kettle',
      'lamp',
      'backpack',
      'camera',
      'blender',
      'tent',
      'piano',
      'scarf',
      'bicycle',
      'clock',
      'toaster',
      'helmet',
    ],
    pattern: /\b(?:kettle|lamp|backpack|camera|blender|tent|piano|scarf|bicycle|clock|toaster|helmet)\b/g,
  },
  city: {
    values: ['Oslo', 'Lisbon', 'Vienna', 'Prague', 'Dublin', 'Athens', 'Bergen', 'Geneva', 'Warsaw', 'Madrid'],
    pattern: /\b(?:Oslo|Lisbon|Vienna|Prague|Dublin|Athens|Bergen|Geneva|Warsaw|Madrid)\b/g,
  },
  person: {
    values: ['Anna', 'Boris', 'Clara', 'David', 'Elena', 'Felix', 'Greta', 'Hugo', 'Irene', 'Jonas'],
    pattern: /\b(?:Anna|Boris|Clara|David|Elena|Felix|Greta|Hugo|Irene|Jonas)\b/g,
  },
} as const satisfies Record<string, { values: readonly string[]; pattern: RegExp }>

export type Slot = keyof typeof slots

export interface Topic {
  readonly name: string
  readonly slot: Slot
  /** A word of every question on this topic, and of no other. */
  readonly cue: RegExp
  /** A word of every answer on this topic, and of no other. */
  readonly keyword: RegExp
  readonly questions: readonly string[]
  /** Answers that resolve the question and name its slot. */
  readonly exact: readonly string[]
  /** Answers on the topic that do not say what the customer asked. */
  readonly vague: readonly string[]
}

export const topics: readonly Topic[] = [
  {
    name: 'status',
    slot: 'order',
    cue: /\b(?:where is|arrive|been sent)\b/i,
    keyword: /\barrives?\b/i,
    questions: ['Where is order {slot}?', 'When does order {slot} arrive?', 'Has order {slot} been sent?'],
    exact: ['Order {slot} was sent today and arrives on {day}.', 'Order {slot} is on its way and arrives on {day}.'],
    vague: ['It arrives when it arrives.', 'Most orders arrive in the end.'],
  },
  {
    name: 'cancel',
    slot: 'order',
    cue: /\b(?:cancel|do not want order)\b/i,
    keyword: /\bcancel(?:led|ling)?\b/i,
    questions: [
      'Can I still cancel order {slot}?',
      'I need to cancel order {slot}.',
      'I do not want order {slot} any more.',
    ],
    exact: ['Order {slot} is cancelled and you pay nothing.', 'We cancelled order {slot} on {day} as you asked.'],
    vague: ['Some people cancel things.', 'Cancelling is a matter of the rules.'],
  },
  {
    name: 'refund',
    slot: 'product',
    cue: /\b(?:refund|money back)\b/i,
    keyword: /\brefunds?\b/i,
    questions: [
      'How do I get a refund for the {slot}?',
      'I want my money back for the {slot}.',
      'When comes the refund for my {slot}?',
    ],
    exact: [
      'The refund for the {slot} is paid to your account on {day}.',
      'Send the {slot} back and the refund follows by {day}.',
    ],
    vague: ['A refund takes some time.', 'The refund rules are on the website.'],
  },
  {
    name: 'stock',
    slot: 'product',
    cue: /\b(?:in stock|do you sell|available)\b/i,
    keyword: /\bstock\b/i,
    questions: ['Is the {slot} in stock?', 'Do you sell the {slot}?', 'When is the {slot} available again?'],
    exact: ['The {slot} is in stock and ready to order.', 'The {slot} is back in stock on {day}.'],
    vague: ['Our stock changes all the time.', 'The stock is in the warehouse.'],
  },
  {
    name: 'warranty',
    slot: 'product',
    cue: /\b(?:warranty|broken|repair)\b/i,
    keyword: /\bwarranty\b/i,
    questions: ['My {slot} is broken.', 'How long is the warranty of the {slot}?', 'Can you repair my {slot}?'],
    exact: [
      'The {slot} has a warranty of two years and we repair it.',
      'The warranty covers the {slot} and the repair ends on {day}.',
    ],
    vague: ['The warranty is a long text.', 'Everything has some warranty.'],
  },
  {
    name: 'hours',
    slot: 'city',
    cue: /\b(?:open|opening hours|close)\b/i,
    keyword: /\bopen\b/i,
    questions: [
      'When does the shop in {slot} open?',
      'What are the opening hours in {slot}?',
      'When do you close in {slot}?',
    ],
    exact: ['The shop in {slot} is open from nine to six.', 'Our shop in {slot} is open until eight on {day}.'],
    vague: ['Shops open in the morning.', 'We are open when the door is open.'],
  },
  {
    name: 'shipping',
    slot: 'city',
    cue: /\b(?:shipping|deliver)\b/i,
    keyword: /\bshipping\b/i,
    questions: ['How much is shipping to {slot}?', 'Do you deliver to {slot}?', 'How long takes shipping to {slot}?'],
    exact: [
      'The shipping to {slot} costs four euros and takes two days.',
      'The shipping to {slot} is free until {day}.',
    ],
    vague: ['Shipping depends on many things.', 'The shipping is done by truck.'],
  },
  {
    name: 'password',
    slot: 'person',
    cue: /\b(?:password|log in)\b/i,
    keyword: /\bpassword\b/i,
    questions: [
      'I am {slot} and forgot my password.',
      'How can {slot} reset the password?',
      'My name is {slot} and I cannot log in.',
    ],
    exact: ['We sent {slot} a link to set a new password.', 'The new password for {slot} is in the mail since {day}.'],
    vague: ['A password should be long.', 'One password is like another.'],
  },
]

export const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'] as const

/** Sentences by manner. Every courteous one holds a courtesy marker, every rude one a rudeness marker, fillers neither. */
export const courteousOpeners = [
  'Thank you for your question!',
  'Thanks for writing to us!',
  'I am sorry for the trouble.',
] as const
export const courteousClosers = [
  'Please write again at any time.',
  'I am happy to help.',
  'We wish you a lovely day!',
] as const
export const rudeOpeners = ['Listen up.', 'What now?', 'Oh, whatever.'] as const
export const rudeClosers = ['This is not my problem.', 'Next time find out yourself.', 'Stop asking.'] as const
export const fillers = [
  'Our company was founded long ago.',
  'There are many people in our office.',
  'I had soup for lunch.',
  'The weather is nice here.',
  'It is a busy week.',
] as const

export const courtesyMarkers = [
  /\bthank(?:s| you)\b/i,
  /\bsorry\b/i,
  /\bplease\b/i,
  /\bhappy to help\b/i,
  /\blovely\b/i,
] as const
export const rudenessMarkers = [
  /\blisten up\b/i,
  /\bwhat now\b/i,
  /\bwhatever\b/i,
  /\bnot my problem\b/i,
  /\byourself\b/i,
  /\bstop asking\b/i,
] as const

import type { Message, Part } from './messages.js'

/** A preference whose prompt stood at the beginning of both sides, taken apart. */
export interface SplitPair {
  readonly prompt: Part
  readonly chosen: Part
  readonly rejected: Part
}

const HUMAN = '\n\nHuman:'
const ASSISTANT = '\n\nAssistant:'

/** Whether a text is a whole dialogue in the form of HH-RLHF (Bai et al., arXiv 2204.05862). */
export function isDialogue(text: string): boolean {
  return text.trimStart().startsWith(HUMAN.trimStart()) && text.includes(ASSISTANT)
}

/**
 * Splits a pair that repeats its prompt on both sides. Dialogues are split after the last `\n\nAssistant:`; 'prompts_differ'
 * where what stands before differs between the sides. Other pairs are split at the longest common prefix: of messages, or
 * of characters as TRL's `extract_prompt` does, where a space before the first difference belongs to the answers.
 */
export function splitPair(chosen: Part, rejected: Part): SplitPair | 'prompts_differ' {
  if (typeof chosen !== typeof rejected) return 'prompts_differ'
  if (typeof chosen !== 'string' || typeof rejected !== 'string')
    return splitMessages(chosen as readonly Message[], rejected as readonly Message[])
  if (isDialogue(chosen) && isDialogue(rejected)) return splitDialogues(chosen, rejected)
  return splitTexts(chosen, rejected)
}

function splitDialogues(chosen: string, rejected: string): SplitPair | 'prompts_differ' {
  const end = chosen.lastIndexOf(ASSISTANT) + ASSISTANT.length
  const prompt = chosen.slice(0, end)
  if (rejected.lastIndexOf(ASSISTANT) + ASSISTANT.length !== end || !rejected.startsWith(prompt))
    return 'prompts_differ'
  return { prompt, chosen: chosen.slice(end), rejected: rejected.slice(end) }
}

function splitTexts(chosen: string, rejected: string): SplitPair {
  let end = 0
  // Not to the end of the shorter side: something must be left of it.
  const most = Math.min(chosen.length, rejected.length) - 1
  while (end < most && chosen[end] === rejected[end]) end += 1
  if (end > 0 && chosen[end - 1] === ' ' && chosen[end] !== rejected[end]) end -= 1
  // Never between the halves of a surrogate pair.
  if (end > 0 && /[\ud800-\udbff]/.test(chosen[end - 1])) end -= 1
  return { prompt: chosen.slice(0, end), chosen: chosen.slice(end), rejected: rejected.slice(end) }
}

function splitMessages(chosen: readonly Message[], rejected: readonly Message[]): SplitPair | 'prompts_differ' {
  let end = 0
  const most = Math.min(chosen.length, rejected.length) - 1
  while (end < most && JSON.stringify(chosen[end]) === JSON.stringify(rejected[end])) end += 1
  if (end === 0) return 'prompts_differ'
  return { prompt: chosen.slice(0, end), chosen: chosen.slice(end), rejected: rejected.slice(end) }
}

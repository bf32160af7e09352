/** How the first law of all is called: without it no other can be checked. */
export const tracesLaw = {
  name: 'traces',
  title: 'its layers fit together',
  meaning: 'A layer refuses what the one in front of it gives, in the words of the evidence.',
} as const

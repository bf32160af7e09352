import { rewriting } from './pass.js'

/** Takes out what only tells `gradient` what to compute anew or to leave alone: gradients have been made by now, if there are any. */
export const removeMarks = rewriting({ remat: ({ inputs: [x] }) => x!, detach: ({ inputs: [x] }) => x! })

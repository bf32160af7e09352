import type { Backend } from '../device.js'
import { lowerings } from '../tfjs/lowerings.js'
import { tfjsBackend } from '../tfjs/open.js'

const packageName = '@tensorflow/tfjs-node'

/** TensorFlow's own library on the processor, through Node. Needs `@tensorflow/tfjs-node`, which downloads it when installed. */
export const node: Backend = tfjsBackend({
  name: 'node',
  registeredAs: 'tensorflow',
  packageName,
  // By a variable: the package is optional, and its types need not be there to build.
  load: () => import(packageName),
  lowerings,
  keepsArrays: true,
})

import type { Backend } from '../device.js'
import { lowerings } from '../tfjs/lowerings.js'
import { tfjsBackend } from '../tfjs/open.js'

const packageName = '@tensorflow/tfjs-node-gpu'

/** TensorFlow's own library on an NVIDIA GPU, through Node. Needs `@tensorflow/tfjs-node-gpu`, which downloads it when installed. */
export const nodeGpu: Backend = tfjsBackend({
  name: 'node-gpu',
  registeredAs: 'tensorflow',
  packageName,
  // By a variable: the package is optional, and its types need not be there to build.
  load: () => import(packageName),
  lowerings,
  keepsArrays: true,
})

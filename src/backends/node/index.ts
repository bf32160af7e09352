import type { Backend } from '../device.js'
import { native } from '../tfjs/native.js'

/** TensorFlow's own library on the processor, through Node. Needs `@tensorflow/tfjs-node`, which downloads it when installed. */
export const node: Backend = native('node', '@tensorflow/tfjs-node')

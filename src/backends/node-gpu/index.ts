import type { Backend } from '../device.js'
import { native } from '../tfjs/native.js'

/** TensorFlow's own library on an NVIDIA GPU, through Node. Needs `@tensorflow/tfjs-node-gpu`, which downloads it when installed. */
export const nodeGpu: Backend = native('node-gpu', '@tensorflow/tfjs-node-gpu')

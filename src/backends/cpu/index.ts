import type { Backend } from '../device.js'
import { openTfjs } from '../tfjs/openTfjs.js'

/** TensorFlow.js in plain JavaScript: slow, runs anywhere. Needs `@tensorflow/tfjs-backend-cpu`. */
export const cpu: Backend = openTfjs({
  name: 'cpu',
  registeredAs: 'cpu',
  packageName: '@tensorflow/tfjs-backend-cpu',
  load: () => import('@tensorflow/tfjs-backend-cpu'),
  // tfjs greets at first use and recommends another backend; whoever imports this one has chosen.
  prepare: async backend => void Object.assign(backend, { firstUse: false }),
})

import type { Backend } from '../device.js'
import { openTfjs } from './openTfjs.js'

/**
 * A backend that runs on TensorFlow's own library. Its package is imported by a variable: it is optional, and
 * its types need not be there to build.
 */
export const native = (name: string, packageName: string): Backend =>
  openTfjs({ name, registeredAs: 'tensorflow', packageName, load: () => import(packageName) })

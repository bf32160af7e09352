import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { FusedActivation, GeluForm } from '../../ops/tensor.js'
import type { Lowering } from './lowering.js'
import type { Workspace } from './workspace.js'

/** `x·Φ(x)` in its three forms, from elementwise kernels. */
export const gelu: Lowering<'gelu'> = {
  needs: ['Multiply', 'Add', 'Erf', 'Tanh', 'Sigmoid'],
  run: (w, [x], { attributes: { form } }) => geluOf(w, x!, form),
}

const geluOf = (w: Workspace, x: TensorInfo, form: GeluForm): TensorInfo => {
  if (w.has('ShaderGelu')) return w.call('ShaderGelu', { x }, { form })
  const times = (a: TensorInfo, b: TensorInfo): TensorInfo => w.call('Multiply', { a, b })
  if (form === 'quick') return times(x, w.call('Sigmoid', { x: times(x, w.scalar(1.702)) }))
  const inner =
    form === 'erf'
      ? w.call('Erf', { x: times(x, w.scalar(Math.SQRT1_2)) })
      : w.call('Tanh', { x: times(w.call('Add', { a: x, b: times(w.scalar(0.044715), times(x, times(x, x))) }), w.scalar(Math.sqrt(2 / Math.PI))) })
  return times(times(x, w.scalar(0.5)), w.call('Add', { a: inner, b: w.scalar(1) }))
}

/** What follows a linear map, where the map's own kernel does not do it. */
export const activated = (w: Workspace, x: TensorInfo, activation: FusedActivation): TensorInfo => {
  if (activation === 'none') return x
  if (activation === 'relu') return w.call('Relu', { x })
  return activation === 'silu' ? w.call('Multiply', { a: x, b: w.call('Sigmoid', { x }) }) : geluOf(w, x, activation)
}

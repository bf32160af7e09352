import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { ElementwiseOp, ElementwiseStep, GeluForm } from '../../../ops/tensor.js'
import type { Shape } from '../../../shape/shape.js'
import { asPlanes, shader, type WebglBackend } from './shader.js'

/** Each op as GLSL says it of four numbers at once. */
const expressions: { readonly [K in ElementwiseOp]: (a: string, b: string) => string } = {
  add: (a, b) => `${a} + ${b}`,
  subtract: (a, b) => `${a} - ${b}`,
  multiply: (a, b) => `${a} * ${b}`,
  divide: (a, b) => `${a} / ${b}`,
  maximum: (a, b) => `max(${a}, ${b})`,
  minimum: (a, b) => `min(${a}, ${b})`,
  exp: a => `exp(${a})`,
  log: a => `log(${a})`,
  sqrt: a => `sqrt(${a})`,
  // By way of exp, whose argument is never positive: tanh itself overflows on some GPUs.
  tanh: a => `tanhOf(${a})`,
  sigmoid: a => `1. / (1. + exp(-${a}))`,
  relu: a => `max(${a}, vec4(0.))`,
  step: a => `vec4(greaterThan(${a}, vec4(0.)))`,
}

const functions = `
  vec4 tanhOf(vec4 x) {
    vec4 e = exp(-2. * abs(x));
    return sign(x) * (1. - e) / (1. + e);
  }
  // Abramowitz and Stegun 7.1.26, to 1.5e-7
  vec4 erfOf(vec4 x) {
    vec4 t = 1. / (1. + 0.3275911 * abs(x));
    return sign(x) * (1. - ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * exp(-x * x));
  }`

/** Elementwise ops in a row as one program; inputs broadcast to `shape`. */
export const elementwise = (backend: WebglBackend, inputs: readonly TensorInfo[], steps: readonly ElementwiseStep[], shape: Shape): TensorInfo => {
  const names = inputs.map((_, i) => `In${i}`)
  const read = names.map((name, i) => `vec4 v${i} = get${name}AtOutCoords();`)
  const made = steps.map(({ op, of: [a, b] }, i) => `vec4 v${inputs.length + i} = ${expressions[op](`v${a!}`, `v${b ?? a!}`)};`)
  const body = [...read, ...made, `vec4 result = v${inputs.length + steps.length - 1};`].join('\n      ')
  return backend.runWebGLProgram(shader(names, shape, body, functions), inputs, 'float32')
}

const forms: { readonly [K in GeluForm]: string } = {
  erf: '0.5 * x * (1. + erfOf(x * 0.7071067811865476))',
  tanh: '0.5 * x * (1. + tanhOf(0.7978845608028654 * (x + 0.044715 * x * x * x)))',
  quick: 'x / (1. + exp(-1.702 * x))',
}

/** `x·Φ(x)` in its three forms, `[..., rows, columns]`. */
export const gelu = (backend: WebglBackend, input: TensorInfo, form: GeluForm): TensorInfo => {
  const x = asPlanes(input)
  const made = backend.runWebGLProgram(shader(['X'], x.shape, `vec4 x = getXAtOutCoords(); vec4 result = ${forms[form]};`, functions), [x], 'float32')
  return { ...made, shape: [...input.shape] }
}

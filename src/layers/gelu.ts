import { gelu as geluOp } from '../ops/ops.js'
import type { GeluForm } from '../ops/tensor.js'
import { type Arguments, choice } from './core/choice.js'
import { elementwise, type KeepsShape } from './core/elementwise.js'
import type { Layer } from './core/layer.js'
import { oneOf } from './core/preconditions.js'

/** Options of {@link gelu}. */
export interface GeluConfig {
  /** `erf` is exact and what ViT's PyTorch weights expect; `tanh` is what JAX's do; `quick` is CLIP's. */
  readonly form?: GeluForm
}

/**
 * The Gaussian error linear unit `x·Φ(x)` (Hendrycks and Gimpel, 2016). `[...] → [...]`. Errors: `expectsTensor`, `unknownOption`.
 *
 * @example
 * pipe(input(197, 192), gelu()) // Model<[197, 192], [197, 192]>
 */
export const gelu = (config: GeluConfig = {}): Layer<KeepsShape<'gelu'>> => {
  const { form = 'erf' } = config
  return elementwise('gelu', gelu, [config], x => geluOp(x, form), { form }, () => oneOf('gelu', 'form', form, ['erf', 'tanh', 'quick']))
}

/** What generators may give {@link gelu}. */
export const geluArguments: Arguments = [choice.options({}, { form: choice.among('erf', 'tanh', 'quick') })]

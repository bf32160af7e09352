/** The operands of a `fusedLinear` by what they are. */
interface LinearOperands<T> {
  readonly x: T
  readonly weight: T
  readonly bias: T | undefined
  readonly residual: T | undefined
}

/**
 * What stands for what among the inputs of a `fusedLinear`, be they nodes or values: the residual comes last, so that a map
 * without a bias may have one.
 *
 * @example
 * linearOperands(['x', 'weight', 'residual'], true) // { x: 'x', weight: 'weight', bias: undefined, residual: 'residual' }
 */
export const linearOperands = <T>(inputs: readonly T[], hasResidual: boolean): LinearOperands<T> => {
  const [x, weight, bias] = hasResidual ? inputs.slice(0, -1) : inputs
  return { x: x!, weight: weight!, bias, residual: hasResidual ? inputs.at(-1) : undefined }
}

/** Our kernels' names for each activation. */
export const activationNames = { none: 'none', erf: 'gelu', tanh: 'geluTanh', quick: 'quickGelu', relu: 'relu', silu: 'silu' } as const

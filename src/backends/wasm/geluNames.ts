/** Our kernels' names for each form of GELU. */
export const geluNames = { erf: 'gelu', tanh: 'geluTanh', quick: 'quickGelu' } as const

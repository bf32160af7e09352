/**
 * How a parameter's first values are drawn: plain data, so that a recipe that mentions it can be printed,
 * stored and compared. The numbers themselves come from `src/weights/initialise.ts`.
 *
 * A shape is read as PyTorch reads it: `[out, in]` for a linear layer, `[out, in/groups, kh, kw]` for a
 * convolution; fan-in is the product of all axes but the first, fan-out the first axis times the kernel's area.
 *
 * - `zeros`, `ones`, `constant`: one value everywhere.
 * - `normal`: mean 0 and standard deviation `std`.
 * - `truncatedNormal`: the same, conditioned on lying within ±2 (absolute, not ±2·std), as timm's `trunc_normal_`.
 * - `uniform`: from −`bound` to `bound`.
 * - `xavierUniform`, `xavierNormal`: Glorot and Bengio 2010, eq. 16: variance 2 / (fanIn + fanOut).
 * - `heUniform`, `heNormal`: He et al. 2015, eq. 10: variance 2 / fanIn.
 * - `fanIn`: uniform with bound √(3 / fanIn), that is variance 1 / fanIn (LeCun et al. 1998).
 * - `identity`: ones on the diagonal of `[out, in]`, zeros beside it.
 * - `localAttention`: ConViT's convolution-like start of positional attention (d'Ascoli et al. 2021), `[heads, 3]`.
 * - `orthogonal`: rows at right angles to each other, of length `gain` (Saxe et al. 2014).
 * - `sinCos`: positions along a sequence (Vaswani et al. 2017, section 3.5), `[1, tokens, dim]`.
 * - `sinCos2d`: positions on a grid, the last `rows · columns` of the tokens, zeros before (He et al. 2021, MAE).
 */
export type Initialiser =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'truncatedNormal'; readonly std: number }
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'xavierUniform' }
  | { readonly kind: 'xavierNormal' }
  | { readonly kind: 'heNormal' }
  | { readonly kind: 'heUniform' }
  | { readonly kind: 'fanIn' }
  | { readonly kind: 'identity' }
  | { readonly kind: 'localAttention'; readonly strength: number }
  | { readonly kind: 'orthogonal'; readonly gain: number }
  | { readonly kind: 'sinCos' }
  | { readonly kind: 'sinCos2d'; readonly rows: number; readonly columns: number }

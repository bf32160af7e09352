import type { TensorInfo } from '@tensorflow/tfjs-core'
import { asPlanes, float, shader, type WebglBackend } from './shader.js'

/** A loop over the columns of two rows, two at a time: `a` are their even columns, `b` their odd ones, where there is one. */
const overColumns = (columns: number, even: string, odd: string): string => `
      for (int c = 0; c < ${columns}; c += 2) {
        vec4 t = getX(rc.x, rc.y, c);
        vec2 a = t.xz, b = t.yw;
        ${even}
        ${columns % 2 === 0 ? odd : `if (c + 1 < ${columns}) { ${odd} }`}
      }`

/** Two numbers a row, then what they make of each place: the rows are read thrice, and two programs run. */
const perRow = (backend: WebglBackend, input: TensorInfo, numbers: (columns: number) => string, place: string, more: Readonly<Record<string, TensorInfo>> = {}): TensorInfo => {
  const x = asPlanes(input)
  const [outer, rows, columns] = x.shape
  const found = backend.runWebGLProgram(shader(['X'], [outer, rows, 2], numbers(columns)), [x], 'float32')
  const body = `vec4 x = getXAtOutCoords(), s = getS(rc.x, rc.y, 0); vec4 result; ${place}`
  const made = backend.runWebGLProgram(shader(['X', 'S', ...Object.keys(more)], x.shape, body), [x, found, ...Object.values(more)], 'float32')
  backend.disposeData(found.dataId)
  return { ...made, shape: [...input.shape] }
}

/** Zero mean and unit variance over the last axis, in two passes: `x [..., rows, dim]`, gamma and beta `[dim]`. */
export const layerNorm = (backend: WebglBackend, { x, gamma, beta }: { readonly x: TensorInfo; readonly gamma?: TensorInfo; readonly beta?: TensorInfo }, epsilon: number): TensorInfo =>
  perRow(
    backend,
    x,
    columns => `
      vec2 total = vec2(0.), spread = vec2(0.);
      ${overColumns(columns, 'total += a;', 'total += b;')}
      vec2 mean = total / ${float(columns)};
      ${overColumns(columns, 'a -= mean; spread += a * a;', 'b -= mean; spread += b * b;')}
      vec2 scale = inversesqrt(spread / ${float(columns)} + ${float(epsilon)});
      vec4 result = vec4(mean.x, scale.x, mean.y, scale.y);`,
    gamma === undefined || beta === undefined ? 'result = (x - s.xxzz) * s.yyww;' : 'result = (x - s.xxzz) * s.yyww * getGammaAtOutCoords() + getBetaAtOutCoords();',
    gamma === undefined || beta === undefined ? {} : { Gamma: gamma, Beta: beta },
  )

/** Shares over the last axis, `[..., rows, dim]`. */
export const softmax = (backend: WebglBackend, x: TensorInfo): TensorInfo =>
  perRow(
    backend,
    x,
    columns => `
      vec2 top = vec2(-3.4e38), total = vec2(0.);
      ${overColumns(columns, 'top = max(top, a);', 'top = max(top, b);')}
      ${overColumns(columns, 'total += exp(a - top);', 'total += exp(b - top);')}
      vec2 share = 1. / total;
      vec4 result = vec4(top.x, share.x, top.y, share.y);`,
    'result = exp(x - s.xxzz) * s.yyww;',
  )

/**
 * Vitrail: vision transformers as recipes. Layers and combinators, what a recipe can be read as (shape,
 * graph, cost, program), and weights. Backends are imported on their own: `vitrail/backends/wasm`.
 */
export * from './layers/index.js'
export { defineLayer, isLayer, type AnyLayer, type Context, type Layer, type LayerParts, type Mode, type ParameterDeclaration } from './layers/core/layer.js'
export { input, inputs, integerInput, isModel, type AnyModel, type Model, type OutputOf } from './layers/core/model.js'
export type { Activation } from './layers/core/activation.js'
export type { KeepsShape } from './layers/core/elementwise.js'
export type { Prepend } from './layers/core/prependTokens.js'
export * as ops from './ops/ops.js'
export type { Signal, Tensor, OpKind } from './ops/tensor.js'
export type { Initialiser } from './ops/initialiser.js'
export { problem, showProblem, type Problem } from './shape/problem.js'
export type { ShapeError, Within } from './shape/shapeError.js'
export type { Apply, ShapeFunction } from './shape/shapeFunction.js'
export type { Add, ConvSize, DivMod, IsLess, Multiply, Subtract } from './shape/natural.js'
export { show, type DType, type Integers, type Shape, type Show, type SignalShape } from './shape/shape.js'
export { shapeOf, trace, type TraceOptions } from './graph/trace.js'
export { cost, type Cost, type MultiplyAdds } from './graph/cost.js'
export { parametersOf, type Graph, type LayerRow } from './graph/graph.js'

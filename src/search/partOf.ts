import { model, type AnyModel } from '../layers/core/model.js'
import { serial } from '../layers/serial.js'
import { subnetwork } from '../layers/subnetwork.js'

/**
 * A model that computes what `part` does, with the first rows and columns of the weights of `whole`, all of which are its
 * parameters: what a step of a one-shot training trains. It shows whether they fit when it is traced (`notAPart`).
 *
 * @example
 * shapeOf(partOf(pipe(input(8), linear(4)), pipe(input(8), linear(6)))) // right([4])
 */
export const partOf = (part: AnyModel, whole: AnyModel): AnyModel => model(part.input, [subnetwork(serial(...(whole.layers as readonly [never])), serial(...(part.layers as readonly [never])))]) as unknown as AnyModel

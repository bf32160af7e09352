import type { ElementwiseOp } from '../../../ops/tensor.js'
import type { Assignment } from '../../assignment.js'
import { RUN } from './native.js'

/** Steps that are one instruction, for a single number (after no prefix) and for four (after 0xfd, each in two bytes). */
const instructions: Readonly<Partial<Record<ElementwiseOp, readonly [single: number, four: number]>>> = {
  sqrt: [0x91, 0xe3],
  add: [0x92, 0xe4],
  subtract: [0x93, 0xe5],
  multiply: [0x94, 0xe6],
  divide: [0x95, 0xe7],
  minimum: [0x96, 0xe8],
  maximum: [0x97, 0xe9],
}

type Code = readonly number[]

/** LEB128 of a number that is not negative. For one that may be, `most` is 63: the last byte then says that this one is not. */
const leb = (n: number, most = 127): Code => (n <= most ? [n] : [(n % 128) + 128, ...leb(Math.floor(n / 128), most)])
const sized = (bytes: Code): Code => [...leb(bytes.length), ...bytes]
const list = (items: readonly Code[]): Code => [...leb(items.length), ...items.flat()]
const section = (id: number, items: readonly Code[]): Code => [id, ...sized(list(items))]
const text = (name: string): Code => sized([...name].map(letter => letter.charCodeAt(0)))

const [I32, F32, V128, NOTHING] = [0x7f, 0x7d, 0x7b, 0x40]
const [END, ADD, SUBTRACT, MULTIPLY, LESS, MORE, MORE_UNSIGNED, AT_MOST_UNSIGNED] = [[0x0b], [0x6a], [0x6b], [0x6c], [0x48], [0x4a], [0x4b], [0x4d]]
const get = (local: number): Code => [0x20, ...leb(local)]
const set = (local: number): Code => [0x21, ...leb(local)]
const tee = (local: number): Code => [0x22, ...leb(local)]
const number = (n: number): Code => [0x41, ...leb(n, 63)]
const load = (address: Code, offset: number): Code => [...address, 0x28, 2, ...leb(offset)]
const loop = (...body: readonly Code[]): Code => [0x03, NOTHING, ...body.flat(), ...END]
const when = (condition: Code, ...body: readonly Code[]): Code => [...condition, 0x04, NOTHING, ...body.flat(), ...END]
const again = (depth: number): Code => [0x0c, depth]
const againIf = (depth: number): Code => [0x0d, depth]

/** A form of the same work: one number at a time, or four. */
interface Width {
  readonly bytes: number
  readonly local: (value: number) => number
  readonly load: Code
  readonly store: Code
  readonly op: (op: ElementwiseOp) => Code
}

/**
 * A module whose function `run` does an assignment: `(codeAt, codeBytes, table, scratch, begin, end)`. The table holds for each
 * group in order: its bytes, its units, the addresses of its operands, those of its targets; a unit is a run of elements, and
 * they are counted through all groups. All operands of an element are read before its results are written. Undefined where a
 * step is more than one instruction.
 *
 * It is compiled when it is needed, since an interpreter adds to each step as much as the step itself takes: AdamW for five
 * million numbers takes 4.8 ms like this, as it does written out in C; 8 ms by an interpreter that keeps 32 numbers in
 * registers, and 13 ms by kernels that keep blocks of them in the cache.
 */
export const assignmentCode = ({ isSingle, steps, results }: Assignment, isShared: boolean): Uint8Array<ArrayBuffer> | undefined => {
  if (steps.some(({ op }) => instructions[op] === undefined)) return undefined
  const [table, begin, end, at, last, units, firstAddress] = [2, 4, 5, 6, 7, 8, 9]
  const addresses = isSingle.length + results.length
  const values = isSingle.length + steps.length
  const address = (place: number): number => firstAddress + place
  const four: Width = { bytes: 16, local: value => address(addresses + value), load: [0xfd, 0x00, 2, 0], store: [0xfd, 0x0b, 2, 0], op: op => [0xfd, instructions[op]![1], 1] }
  const one: Width = { bytes: 4, local: value => four.local(values + value), load: [0x2a, 2, 0], store: [0x38, 2, 0], op: op => [instructions[op]![0]] }
  const here = (place: number): Code => [...get(address(place)), ...get(at), ...ADD]
  const element = (width: Width): Code => [
    ...isSingle.flatMap((single, i) => (single ? [] : [...here(i), ...width.load, ...set(width.local(i))])),
    ...steps.flatMap(({ op, of }, i) => [...of.flatMap(value => get(width.local(value))), ...width.op(op), ...set(width.local(isSingle.length + i))]),
    ...results.flatMap((step, i) => [...here(isSingle.length + i), ...get(width.local(isSingle.length + step)), ...width.store]),
    ...get(at), ...number(width.bytes), ...ADD, ...set(at),
  ]
  const through = (width: Width): Code => loop(when([...get(at), ...number(width.bytes), ...ADD, ...get(last), ...AT_MOST_UNSIGNED], element(width), again(1)))
  const runBytes = number(4 * RUN)
  const group: Code = [
    ...get(begin), ...runBytes, ...MULTIPLY, ...set(at),
    ...when([...get(end), ...runBytes, ...MULTIPLY, ...tee(last), ...load(get(table), 0), ...MORE_UNSIGNED], load(get(table), 0), set(last)),
    ...Array.from({ length: addresses }, (_, i) => [...load(get(table), 8 + 4 * i), ...set(address(i))]).flat(),
    ...isSingle.flatMap((single, i) => (single ? [...get(address(i)), ...one.load, ...tee(one.local(i)), 0xfd, 0x13, ...set(four.local(i))] : [])),
    ...through(four),
    ...through(one),
  ]
  const code = loop(
    when([...load(get(table), 4), ...tee(units), ...get(begin), ...MORE], group),
    when([...get(begin), ...get(units), ...SUBTRACT, ...tee(begin), ...number(0), ...LESS], number(0), set(begin)),
    [...get(table), ...number(4 * (2 + addresses)), ...ADD, ...set(table)],
    [...get(end), ...get(units), ...SUBTRACT, ...tee(end), ...number(0), ...MORE, ...againIf(0)],
  )
  const locals = list([[...leb(3 + addresses), I32], [...leb(values), V128], [...leb(values), F32]])
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [[0x60, ...list(Array<Code>(6).fill([I32])), 0]]),
    ...section(2, [[...text('env'), ...text('memory'), 2, isShared ? 3 : 1, 0, ...leb(65536)]]),
    ...section(3, [[0]]),
    ...section(7, [[...text('run'), 0, 0]]),
    ...section(10, [sized([...locals, ...code, ...END])]),
  ])
}

/**
 * Arithmetic on natural numbers, by the type checker and at run time.
 *
 * Sizes are decimal strings, least significant digit first, and every digit step is a look-up in a
 * table: a sum, a product or a remainder of four-digit sizes costs a few hundred instantiations the
 * first time and nothing after, because TypeScript caches alias instantiations. Correct for literals
 * up to 10^9; where an operand is not a natural literal (`number`, a negative, a fraction), or the
 * result is not exact in a double, the answer is `number` and the check is left to run time.
 */

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'
type Bit = 0 | 1

// Row n, column b: the last digit of n + b, and whether it carries.
type From0 = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
type From1 = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0']
type From2 = ['2', '3', '4', '5', '6', '7', '8', '9', '0', '1']
type From3 = ['3', '4', '5', '6', '7', '8', '9', '0', '1', '2']
type From4 = ['4', '5', '6', '7', '8', '9', '0', '1', '2', '3']
type From5 = ['5', '6', '7', '8', '9', '0', '1', '2', '3', '4']
type From6 = ['6', '7', '8', '9', '0', '1', '2', '3', '4', '5']
type From7 = ['7', '8', '9', '0', '1', '2', '3', '4', '5', '6']
type From8 = ['8', '9', '0', '1', '2', '3', '4', '5', '6', '7']
type From9 = ['9', '0', '1', '2', '3', '4', '5', '6', '7', '8']
type Carry0 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
type Carry1 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
type Carry2 = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
type Carry3 = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1]
type Carry4 = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]
type Carry5 = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
type Carry6 = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
type Carry7 = [0, 0, 0, 1, 1, 1, 1, 1, 1, 1]
type Carry8 = [0, 0, 1, 1, 1, 1, 1, 1, 1, 1]
type Carry9 = [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]
type Carry10 = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
type Sum = [
  [From0, From1, From2, From3, From4, From5, From6, From7, From8, From9],
  [From1, From2, From3, From4, From5, From6, From7, From8, From9, From0],
]
type Carry = [
  [Carry0, Carry1, Carry2, Carry3, Carry4, Carry5, Carry6, Carry7, Carry8, Carry9],
  [Carry1, Carry2, Carry3, Carry4, Carry5, Carry6, Carry7, Carry8, Carry9, Carry10],
]

// Row n, column b: the last digit of n - b, and whether it borrows.
type Down0 = ['0', '9', '8', '7', '6', '5', '4', '3', '2', '1']
type Down1 = ['1', '0', '9', '8', '7', '6', '5', '4', '3', '2']
type Down2 = ['2', '1', '0', '9', '8', '7', '6', '5', '4', '3']
type Down3 = ['3', '2', '1', '0', '9', '8', '7', '6', '5', '4']
type Down4 = ['4', '3', '2', '1', '0', '9', '8', '7', '6', '5']
type Down5 = ['5', '4', '3', '2', '1', '0', '9', '8', '7', '6']
type Down6 = ['6', '5', '4', '3', '2', '1', '0', '9', '8', '7']
type Down7 = ['7', '6', '5', '4', '3', '2', '1', '0', '9', '8']
type Down8 = ['8', '7', '6', '5', '4', '3', '2', '1', '0', '9']
type Down9 = ['9', '8', '7', '6', '5', '4', '3', '2', '1', '0']
type Difference = [
  [Down0, Down1, Down2, Down3, Down4, Down5, Down6, Down7, Down8, Down9],
  [Down9, Down0, Down1, Down2, Down3, Down4, Down5, Down6, Down7, Down8],
]
type Borrow = [
  [
    [0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    [0, 0, 1, 1, 1, 1, 1, 1, 1, 1],
    [0, 0, 0, 1, 1, 1, 1, 1, 1, 1],
    [0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
    [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1],
    [0, 0, 0, 0, 0, 0, 0, 1, 1, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ],
  [
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    [0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    [0, 0, 1, 1, 1, 1, 1, 1, 1, 1],
    [0, 0, 0, 1, 1, 1, 1, 1, 1, 1],
    [0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
    [0, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1],
    [0, 0, 0, 0, 0, 0, 0, 1, 1, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ],
]

// Row a, column b: the two digits of a × b.
type Ones = [
  ['0', '0', '0', '0', '0', '0', '0', '0', '0', '0'],
  ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  ['0', '2', '4', '6', '8', '0', '2', '4', '6', '8'],
  ['0', '3', '6', '9', '2', '5', '8', '1', '4', '7'],
  ['0', '4', '8', '2', '6', '0', '4', '8', '2', '6'],
  ['0', '5', '0', '5', '0', '5', '0', '5', '0', '5'],
  ['0', '6', '2', '8', '4', '0', '6', '2', '8', '4'],
  ['0', '7', '4', '1', '8', '5', '2', '9', '6', '3'],
  ['0', '8', '6', '4', '2', '0', '8', '6', '4', '2'],
  ['0', '9', '8', '7', '6', '5', '4', '3', '2', '1'],
]
type Tens = [
  ['0', '0', '0', '0', '0', '0', '0', '0', '0', '0'],
  ['0', '0', '0', '0', '0', '0', '0', '0', '0', '0'],
  ['0', '0', '0', '0', '0', '1', '1', '1', '1', '1'],
  ['0', '0', '0', '0', '1', '1', '1', '2', '2', '2'],
  ['0', '0', '0', '1', '1', '2', '2', '2', '3', '3'],
  ['0', '0', '1', '1', '2', '2', '3', '3', '4', '4'],
  ['0', '0', '1', '1', '2', '3', '3', '4', '4', '5'],
  ['0', '0', '1', '2', '2', '3', '4', '4', '5', '6'],
  ['0', '0', '1', '2', '3', '4', '4', '5', '6', '7'],
  ['0', '0', '1', '2', '3', '4', '5', '6', '7', '8'],
]

type Reverse<S extends string, R extends string = ''> = S extends `${infer H}${infer T}` ? Reverse<T, `${H}${R}`> : R

/** Drops leading zeros (most significant first) and reads the number; `number` where a double cannot hold it exactly. */
type ToNumber<S extends string> = S extends `0${infer T}` ? (T extends '' ? 0 : ToNumber<T>) : S extends `${infer N extends number}` ? N : number

type AddDigits<A extends string, B extends string, C extends Bit = 0, R extends string = ''> =
  A extends `${infer a extends Digit}${infer AT}`
    ? B extends `${infer b extends Digit}${infer BT}`
      ? AddDigits<AT, BT, Carry[C][a][b], `${R}${Sum[C][a][b]}`>
      : C extends 0 ? `${R}${A}` : AddDigits<AT, '', Carry[1][a]['0'], `${R}${Sum[1][a]['0']}`>
    : B extends '' ? (C extends 0 ? R : `${R}1`) : AddDigits<B, '', C, R>

/** A − B on digits, or `never` where B is larger. B has no leading zeros. */
type SubtractDigits<A extends string, B extends string, C extends Bit = 0, R extends string = ''> =
  A extends `${infer a extends Digit}${infer AT}`
    ? B extends `${infer b extends Digit}${infer BT}`
      ? SubtractDigits<AT, BT, Borrow[C][a][b], `${R}${Difference[C][a][b]}`>
      : C extends 0 ? `${R}${A}` : SubtractDigits<AT, '', Borrow[1][a]['0'], `${R}${Difference[1][a]['0']}`>
    : B extends '' ? (C extends 0 ? R : never) : never

type TimesDigit<A extends string, b extends Digit, C extends Digit = '0', R extends string = ''> =
  A extends `${infer a extends Digit}${infer AT}`
    ? TimesDigit<AT, b, Sum[Carry[0][Ones[a][b]][C]][Tens[a][b]]['0'], `${R}${Sum[0][Ones[a][b]][C]}`>
    : C extends '0' ? R : `${R}${C}`

/** A × B; B most significant digit first, so that each step is "ten times the sum so far, plus A × digit". */
type MultiplyDigits<A extends string, B extends string, R extends string = ''> =
  B extends `${infer b extends Digit}${infer BT}` ? MultiplyDigits<A, BT, AddDigits<R extends '' ? '' : `0${R}`, TimesDigit<A, b>>> : R

type Successor = ['1', '2', '3', '4', '5', '6', '7', '8', '9', never]

/** One digit of a long division: how often B goes into R, and what is left. */
type DivideDigit<R extends string, B extends string, Q extends Digit = '0'> =
  [SubtractDigits<R, B>] extends [infer S extends string] ? ([S] extends [never] ? [Q, R] : DivideDigit<S, B, Successor[Q]>) : never

type DivideDigits<A extends string, B extends string, R extends string = '', Q extends string = ''> =
  A extends `${infer a}${infer AT}`
    ? DivideDigit<`${a}${R}`, B> extends [infer q extends string, infer r extends string] ? DivideDigits<AT, B, r, `${Q}${q}`> : never
    : [ToNumber<Q>, ToNumber<Reverse<R>>]

// Small numbers as tuples of that length: ten times fewer instantiations than digits, but a tuple may not
// exceed 10,000 elements. Every real patch, window, head count and grid falls here.

type Few = [[], [0], [0, 0], [0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0]]
type Unary = readonly 0[]
type Tenfold<R extends Unary> = [...R, ...R, ...R, ...R, ...R, ...R, ...R, ...R, ...R, ...R]
type ToUnary<S extends string, R extends Unary = []> = S extends `${infer d extends Digit}${infer T}` ? ToUnary<T, [...Tenfold<R>, ...Few[d]]> : R
type RepeatUnary<A extends Unary, d extends Digit> = [
  [], A, [...A, ...A], [...A, ...A, ...A], [...A, ...A, ...A, ...A], [...A, ...A, ...A, ...A, ...A],
  [...A, ...A, ...A, ...A, ...A, ...A], [...A, ...A, ...A, ...A, ...A, ...A, ...A],
  [...A, ...A, ...A, ...A, ...A, ...A, ...A, ...A], [...A, ...A, ...A, ...A, ...A, ...A, ...A, ...A, ...A],
][d]
type MultiplyUnary<A extends Unary, B extends string, R extends Unary = []> =
  B extends `${infer b extends Digit}${infer BT}` ? MultiplyUnary<A, BT, [...Tenfold<R>, ...RepeatUnary<A, b>]> : R['length']
type DivideUnaryDigit<R extends Unary, B extends Unary, Q extends Digit = '0'> =
  R extends readonly [...B, ...infer S extends Unary] ? DivideUnaryDigit<S, B, Successor[Q]> : [Q, R]
type DivideUnary<A extends string, B extends Unary, R extends Unary = [], Q extends string = ''> =
  A extends `${infer a extends Digit}${infer AT}`
    ? DivideUnaryDigit<[...Tenfold<R>, ...Few[a]], B> extends [infer q extends string, infer r extends Unary] ? DivideUnary<AT, B, r, `${Q}${q}`> : never
    : [ToNumber<Q>, R['length']]

type UpTo2Digits<S extends string> = S extends `${infer _1}${infer _2}${infer T}` ? (T extends '' ? true : false) : true
type UpTo3Digits<S extends string> = S extends `${infer _}${infer T}` ? UpTo2Digits<T> : true

/** `true` where `N` is a single natural literal the tables can work on. */
export type IsNatural<N> = number extends N ? false : `${N & number}` extends `${string}${'-' | '.' | 'e'}${string}` ? false : true

type Both<A, B> = IsNatural<A> extends true ? IsNatural<B> : false

/**
 * `A + B`.
 *
 * @example
 * type T = Add<196, 1> // 197
 */
export type Add<A extends number, B extends number> = Both<A, B> extends true ? ToNumber<Reverse<AddDigits<Reverse<`${A}`>, Reverse<`${B}`>>>> : number

/**
 * `A − B`, or `never` where B is larger.
 *
 * @example
 * type T = Subtract<197, 1> // 196
 */
export type Subtract<A extends number, B extends number> =
  Both<A, B> extends true ? (B extends 0 ? A : [SubtractDigits<Reverse<`${A}`>, Reverse<`${B}`>>] extends [infer S extends string] ? ([S] extends [never] ? never : ToNumber<Reverse<S>>) : never) : number

/**
 * `A × B`.
 *
 * @example
 * type T = Multiply<14, 14> // 196
 */
export type Multiply<A extends number, B extends number> =
  A extends 1 ? B : B extends 1 ? A : Both<A, B> extends true ? UpTo2Digits<`${A}`> | UpTo2Digits<`${B}`> extends true ? MultiplyUnary<ToUnary<`${A}`>, `${B}`> : ToNumber<Reverse<MultiplyDigits<Reverse<`${A}`>, `${B}`>>> : number

/**
 * `[⌊A ÷ B⌋, A mod B]`; `[never, never]` for division by zero.
 *
 * @example
 * type T = DivMod<224, 16> // [14, 0]
 */
export type DivMod<A extends number, B extends number> =
  B extends 0 ? [never, never] : B extends 1 ? [A, IsNatural<A> extends true ? 0 : number] : Both<A, B> extends true ? (UpTo3Digits<`${B}`> extends true ? DivideUnary<`${A}`, ToUnary<`${B}`>> : DivideDigits<`${A}`, Reverse<`${B}`>>) : [number, number]

/**
 * `true` where A < B, `boolean` where it cannot be known.
 *
 * @example
 * type T = IsLess<7, 16> // true
 */
export type IsLess<A extends number, B extends number> =
  Both<A, B> extends true ? ([SubtractDigits<Reverse<`${A}`>, Reverse<`${B}`>>] extends [never] ? true : false) : boolean

/**
 * The positions of a window of size K, moved by S over an axis of size A padded by P on both sides:
 * `⌊(A + 2P − K) ÷ S⌋ + 1` (Dumoulin and Visin, 2016, relationship 6); `never` where the window does not fit.
 *
 * @example
 * type T = ConvSize<224, 7, 2, 3> // 112
 */
export type ConvSize<A extends number, K extends number, S extends number, P extends number> =
  Subtract<Add<A, Multiply<2, P>>, K> extends infer N extends number ? ([N] extends [never] ? never : DivMod<N, S> extends [infer Q extends number, number] ? Add<Q, 1> : never) : never

/**
 * `[⌊a ÷ b⌋, a mod b]` of two naturals.
 *
 * @example
 * divMod(224, 16) // [14, 0]
 */
export const divMod = (a: number, b: number): readonly [number, number] => [Math.floor(a / b), a % b]

/**
 * The run-time twin of {@link ConvSize}; `undefined` where the window does not fit.
 *
 * @example
 * convSize(224, 7, 2, 3) // 112
 */
export const convSize = (size: number, kernel: number, stride: number, padding: number): number | undefined =>
  size + 2 * padding < kernel ? undefined : Math.floor((size + 2 * padding - kernel) / stride) + 1

/**
 * Whether a value can be a size: a whole number from 1 to 10^9.
 *
 * @example
 * isSize(16) // true
 */
export const isSize = (n: unknown): n is number => typeof n === 'number' && Number.isInteger(n) && n >= 1 && n <= 1e9

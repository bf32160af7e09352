import type { IsLess } from './natural.js'

// A table costs nothing, unlike a root; beyond 64×64 the compiler leaves it open.
interface Roots {
  1: 1; 4: 2; 9: 3; 16: 4; 25: 5; 36: 6; 49: 7; 64: 8; 81: 9; 100: 10; 121: 11; 144: 12; 169: 13; 196: 14; 225: 15; 256: 16
  289: 17; 324: 18; 361: 19; 400: 20; 441: 21; 484: 22; 529: 23; 576: 24; 625: 25; 676: 26; 729: 27; 784: 28; 841: 29; 900: 30; 961: 31; 1024: 32
  1089: 33; 1156: 34; 1225: 35; 1296: 36; 1369: 37; 1444: 38; 1521: 39; 1600: 40; 1681: 41; 1764: 42; 1849: 43; 1936: 44; 2025: 45; 2116: 46; 2209: 47; 2304: 48
  2401: 49; 2500: 50; 2601: 51; 2704: 52; 2809: 53; 2916: 54; 3025: 55; 3136: 56; 3249: 57; 3364: 58; 3481: 59; 3600: 60; 3721: 61; 3844: 62; 3969: 63; 4096: 64
}

/**
 * The side of a square: `number` where the compiler does not know it, `never` where there is none.
 *
 * @example
 * type T = Root<196> // 14
 */
export type Root<N extends number> = number extends N ? number : N extends keyof Roots ? Roots[N] : IsLess<N, 4096> extends true ? never : number

/** Learning rates over time. */
export { constant, type ConstantOptions } from './schedules/constant.js'
export { cosine, type CosineOptions } from './schedules/cosine.js'
export type { CycleOptions } from './schedules/cycle.js'
export { polynomial, type PolynomialOptions } from './schedules/polynomial.js'
export type { Schedule } from './schedules/schedule.js'
export { scheduleOf } from './schedules/scheduleOf.js'
export { stepped, type SteppedOptions } from './schedules/stepped.js'
export { warmup, type WarmupOptions } from './schedules/warmup.js'

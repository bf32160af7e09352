import type { Fault } from './faults.mjs'

export const injected: (dist: string, fault: Fault) => string
export const checkInjected: (dist: string, fault: Fault) => Promise<{ readonly fault: Fault; readonly found: boolean; readonly seconds: number; readonly laws: readonly string[]; readonly parts: readonly string[]; readonly layers: number; readonly most: number; readonly err: string }>

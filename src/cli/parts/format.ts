/** Numbers as a person reads them, the same in every locale. */
export const format = {
  /** Whole numbers with thousands separators: `5,717,416`. */
  count: (value: number): string => value.toLocaleString('en-US'),

  /** A count in thousands, millions or billions: `5.72 M`, `1.25 G`. */
  short: (value: number): string => {
    if (value >= 1e9) return `${(value / 1e9).toFixed(2)} G`
    return value >= 1e6 ? `${(value / 1e6).toFixed(2)} M` : value >= 1e3 ? `${(value / 1e3).toFixed(1)} k` : `${value}`
  },

  /** A duration in milliseconds: `0.84 ms`, `12.3 ms`, `4.20 s`. */
  duration: (ms: number): string => (ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(ms >= 10 ? 1 : 2)} ms`),

  /** An error: `3.9e-7`; nothing where there was no number. */
  error: (value: number | null): string => (value === null ? '—' : value === 0 ? '0' : value.toExponential(1)),
} as const

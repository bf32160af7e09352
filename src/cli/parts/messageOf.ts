/** What a caught value says, its first line. */
export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!.trim()

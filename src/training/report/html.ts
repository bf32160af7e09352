/** Text as HTML shows it. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`)

/** A value as a script reads it; no text in it can end the script. */
export const scripted = (value: unknown): string => JSON.stringify(value).replace(/</g, '\\u003c')

/** A share in per cent. */
export const percent = (share: number): string => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '–')

/** A picture inside the page. */
export const dataUrl = (bytes: Uint8Array): string => `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`

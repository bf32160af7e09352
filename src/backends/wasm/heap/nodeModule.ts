/**
 * A module of Node's, by a name that is a variable where it is imported: bundlers for browsers do not look for it then.
 *
 * @example
 * await nodeModule('node:path').then(({ posix }) => posix.sep) // '/'
 */
export const nodeModule = <M>(name: string): Promise<M> => import(name) as Promise<M>

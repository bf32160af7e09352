// Stands beside the installed packages, so that their names are looked up there.
export const load = name => import(name)

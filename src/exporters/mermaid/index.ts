export { toMermaid } from './toMermaid.js'

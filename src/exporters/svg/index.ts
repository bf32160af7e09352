export { toSvg } from './toSvg.js'

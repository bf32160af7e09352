export { fromJson, type Constructors } from './fromJson.js'
export { toJson, type Json } from './toJson.js'

import type { Subject } from './subject.js'
import { axes } from './subjects/axes.js'
import { elementwise } from './subjects/elementwise.js'
import { images } from './subjects/images.js'
import { products } from './subjects/products.js'
import { reductions } from './subjects/reductions.js'

/** All operations of tfjs that are looked at; those that damage memory last. */
export const subjects: readonly Subject[] = [...elementwise, ...products, ...images, ...axes, ...reductions]

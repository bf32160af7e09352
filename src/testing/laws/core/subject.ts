import type { Either } from 'fp-ts/lib/Either.js'
import { compile } from '../../../backends/compile.js'
import type { Backend } from '../../../backends/device.js'
import type { Program } from '../../../backends/program.js'
import { reference } from '../../../backends/reference/index.js'
import { parametersOf, type Graph } from '../../../graph/graph.js'
import { trace } from '../../../graph/trace.js'
import type { AnyLayer, Mode } from '../../../layers/core/layer.js'
import type { AnyModel } from '../../../layers/core/model.js'
import { tensorsOf } from '../../../ops/tensor.js'
import type { Problem } from '../../../shape/problem.js'
import { evaluate } from './evaluate.js'
import { byName, feedFor, type Feed, type FeedKind } from './feeds.js'
import { lively } from './lively.js'
import { definedOutcome, outcomeOf, type Outcome } from './outcome.js'
import { toleranceOf } from './tolerance.js'

/** How laws are checked. */
export interface LawOptions {
  /** Where models run (default: `reference`, which is also what the others are compared with). */
  readonly backends?: readonly Backend[]
  /** Of weights and inputs (default 0): the same seed, the same check. */
  readonly seed?: number
  /** How many random inputs a law tries that tries several (default 2). */
  readonly runs?: number
}

/** A problem on its way out of a law. */
export class Trouble extends Error {
  constructor(readonly problem: Problem) {
    super(problem.sentence)
  }
}

/** The value of a success; a failure leaves the law as `Trouble`. */
export const need = <A>(result: Either<Problem, A>): A => {
  if (result._tag === 'Left') throw new Trouble(result.left)
  return result.right
}

/** How one run is made. */
export interface RunOf {
  readonly feed: Feed
  readonly batch: number
  readonly mode?: Mode
  /** Of the random streams of training. */
  readonly seed?: number
  readonly step?: number
  readonly weights?: ReadonlyMap<string, Float32Array>
}

type AnyProgram = Program<never, unknown>

/** A model that laws judge, with what they all need of it, made once: its graphs, weights that hide nothing, programs. */
export class Subject {
  readonly backends: readonly Backend[]
  readonly seed: number
  readonly runs: number
  private readonly graphs = new Map<Mode, Either<Problem, Graph>>()
  private readonly programs = new Map<string, Promise<Either<Problem, AnyProgram>>>()
  private made: ReadonlyMap<string, Float32Array> | undefined

  constructor(readonly model: AnyModel, { backends = [reference], seed = 0, runs = 2 }: LawOptions = {}) {
    this.backends = backends
    this.seed = seed
    this.runs = runs
  }

  get options(): LawOptions {
    return { backends: this.backends, seed: this.seed, runs: this.runs }
  }

  /** Its layer, where it is a model of one. */
  get only(): AnyLayer | undefined {
    return this.model.layers.length === 1 ? this.model.layers[0] : undefined
  }

  /** The traced model. */
  graph(mode: Mode = 'inference'): Graph {
    const known = this.graphs.get(mode) ?? trace(this.model, { mode })
    this.graphs.set(mode, known)
    return need(known)
  }

  /** How far a backend may lie from the definition. */
  get tolerance(): number {
    return toleranceOf(this.graph())
  }

  /** Lively weights for every parameter. */
  get weights(): ReadonlyMap<string, Float32Array> {
    return (this.made ??= new Map(parametersOf(this.graph()).map(p => [p.attributes.name, lively(p, this.seed)])))
  }

  /** Random samples for its inputs. */
  feed(batch: number, at = 0, kind?: FeedKind): Feed {
    return feedFor(this.graph(), batch, this.seed * 1000 + at, kind)
  }

  /** The output by the definitions of the ops, in double precision. */
  define({ feed, batch, mode = 'inference', weights = this.weights, ...streams }: RunOf): Outcome {
    const { inputs, output } = this.graph(mode)
    return definedOutcome(output, evaluate(tensorsOf(output), { batch, inputs: byName(inputs, feed), weights, ...streams }), batch)
  }

  /** The model compiled for a backend, kept for other laws. */
  async program(backend: Backend, mode: Mode = 'inference'): Promise<AnyProgram> {
    const key = `${backend.name}|${mode}`
    const known = this.programs.get(key) ?? compile(this.model, { backend, weights: this.weights, mode })()
    this.programs.set(key, known as Promise<Either<Problem, AnyProgram>>)
    return need(await known) as AnyProgram
  }

  /** The output on a backend. */
  async run(backend: Backend, { feed, mode = 'inference', seed = 0, step = 0 }: Omit<RunOf, 'batch' | 'weights'>): Promise<Outcome> {
    const program = await this.program(backend, mode)
    return outcomeOf(this.graph(mode).output, need(await program.run(feed as never, { seed, step })()))
  }

  /** Frees the programs. */
  dispose(): void {
    for (const program of this.programs.values()) void program.then(p => p._tag === 'Right' && p.right.dispose())
    this.programs.clear()
  }
}

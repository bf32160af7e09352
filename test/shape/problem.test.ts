import { describe, expect, it } from 'vitest'
import { problem, showProblem } from '../../src/shape/problem.js'
import { misfit } from '../../src/shape/shapeError.js'

describe('a problem', () => {
  it('is a frozen value with a code, a sentence and a place', () => {
    const p = problem('headsDoNotSplit', 'attention: no', { path: 'blocks.0 › attention', remedy: 'try 3' })
    expect(p).toEqual({ code: 'headsDoNotSplit', sentence: 'attention: no', path: 'blocks.0 › attention', remedy: 'try 3' })
    expect(Object.isFrozen(p)).toBe(true)
    expect(problem('c', 's').path).toBe('')
  })

  it('reads as one line, with what is known of it', () => {
    expect(showProblem(problem('c', 'it broke'))).toBe('it broke')
    expect(showProblem(problem('c', 'it broke', { path: 'a.b › c' }))).toBe('it broke (at a.b › c)')
    expect(showProblem(problem('c', 'it broke', { remedy: 'mend it' }))).toBe('it broke; mend it')
    expect(showProblem(problem('c', 'it broke', { path: 'a', remedy: 'mend it' }))).toBe('it broke (at a); mend it')
  })

  it('of a shape has the name of its sentence for a code', () => {
    expect(misfit('expectsTokens', { layer: 'mlp', shape: '3' }, { expected: 'tokens×channels', actual: '3' })).toEqual({
      code: 'expectsTokens', sentence: 'mlp: expects tokens×channels, got 3', path: '', expected: 'tokens×channels', actual: '3',
    })
  })
})

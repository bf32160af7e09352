import { describe, expect, it } from 'vitest'
import { problem } from '../../src/shape/problem.js'
import { github } from '../../src/testing/reporters/github.js'
import { junit } from '../../src/testing/reporters/junit.js'
import type { ReportedModel } from '../../src/testing/reporters/report.js'
import { text } from '../../src/testing/reporters/text.js'

const odd = 'a < b & "c",\nd: 100%\u0007'
const failing: ReportedModel = {
  id: 'a,b:c.ts#x', ok: false, input: [5, 8], output: [3], params: 27, backend: 'wasm', seed: 4, parts: 2, seconds: 1.25,
  laws: [{ law: 'one', title: 'first law', kept: 0, silent: 0, broken: 1 }, { law: 'two', title: 'second law', kept: 2, silent: 0, broken: 0 }, { law: 'three', title: 'third law', kept: 0, silent: 2, broken: 0 }],
  failures: [{ law: 'one', title: 'first law', meaning: 'Something is wrong.', part: 'linear at head', path: 'head', evidence: odd, also: ['two'], file: 'a,b:c.ts', line: 7, smallest: { source: 'const x = 1\n', layers: 1, evidence: 'it fails' }, replay: '.vitrail/x.json' }],
}
const fine: ReportedModel = { id: 'fine', ok: true, input: [8], output: [2], params: 0, backend: 'cpu', seed: 0, parts: 1, scaled: '8 for 80', seconds: 0.5, laws: [{ law: 'one', title: 'first law', kept: 1, silent: 0, broken: 0 }], failures: [] }
const unchecked: ReportedModel = { id: 'none', ok: false, input: [8], seed: 0, seconds: 0, laws: [], failures: [], problem: problem('why', 'it does not trace', { path: 'head' }) }

describe('JUnit', () => {
  const xml = junit([failing, fine, unchecked])

  it('has a suite for each model and a case for each law', () => {
    expect(xml.match(/<testsuite name="[^"]*" tests="\d+" failures="\d+"/g)).toEqual(['<testsuite name="a,b:c.ts#x" tests="3" failures="2"', '<testsuite name="fine" tests="1" failures="0"', '<testsuite name="none" tests="1" failures="1"'])
    expect(xml).toContain('name="three: third law"><skipped/></testcase>')
    expect(xml).toContain('it does not trace (at head)')
  })

  it('is XML whatever is told', () => {
    expect(xml).toContain('a &lt; b &amp; &quot;c&quot;,\nd: 100%\nSomething is wrong.')
    expect(xml).not.toContain('\u0007')
    const open = [...xml.matchAll(/<(\w+)(?=[\s>])[^>]*[^/?]>/g)].map(([, name]) => name)
    const closed = [...xml.matchAll(/<\/(\w+)>/g)].map(([, name]) => name)
    expect(open.sort()).toEqual(closed.sort())
  })
})

describe('annotations for GitHub', () => {
  it('are one line each, escaped as its runner wants them', () => {
    expect(github([failing, fine, unchecked]).split('\n')).toEqual([
      '::error file=a%2Cb%3Ac.ts,line=7,title=vitrail one%3A first law::a,b:c.ts#x, linear at head: a < b & "c",%0Ad: 100%25\u0007%0ASomething is wrong.%0A%0Aconst x = 1%0A',
      '::error title=none::it does not trace (at head)',
    ])
  })
})

describe('text', () => {
  it('says what failed, where, why, how small, and how to see it again', () => {
    expect(text([failing])).toBe(
      ['✗ a,b:c.ts#x  1 failure  5×8 → 3, 27 parameters, 2 parts on wasm, seed 4, 1.3 s', '', '✗ linear at head of a,b:c.ts#x (a,b:c.ts:7)', '  first law  [one]', `  ${odd}`, '  Something is wrong.', '  It breaks other laws too: two.', '  The smallest recipe found that fails (1 layer, seed 4): it fails', '', '    const x = 1', '', '  Again: vitrail check --replay .vitrail/x.json'].join('\n'),
    )
  })

  it('says how a model was scaled down, and why one was not checked', () => {
    expect(text([fine, unchecked])).toBe('✓ fine  ok  8 → 2, 0 parameters, 1 parts on cpu, seed 0, 0.5 s\n  scaled down: 8 for 80\n✗ none  8: it does not trace (at head)')
  })
})

#!/usr/bin/env node
import { cli } from './cli.js'
import { messageOf } from './parts/messageOf.js'
import { terminal } from './parts/terminal.js'

// `vitrail list | head -1` closes the pipe early; that is no error of ours. A full disk is one, of which scripts must hear.
const lost = (fault: NodeJS.ErrnoException): never => {
  if (fault.code === 'EPIPE') process.exit(0)
  process.stderr.write(`vitrail: standard output cannot be written to: ${messageOf(fault)}\n`)
  process.exit(2)
}
process.stdout.on('error', lost)
// There is nobody left to tell.
process.stderr.on('error', () => {})

const code = await cli(process.argv.slice(2), terminal())
// Worker threads of a backend would keep the process alive; what was printed must be out first.
process.stdout.write('', fault => (fault ? lost(fault) : process.exit(code)))

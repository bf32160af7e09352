#!/usr/bin/env node
import { cli } from './cli.js'
import { terminal } from './parts/terminal.js'

// `vitrail list | head -1` closes the pipe early; that is no error of ours.
process.stdout.on('error', (fault: NodeJS.ErrnoException) => {
  if (fault.code !== 'EPIPE') throw fault
  process.exit(0)
})

const code = await cli(process.argv.slice(2), terminal())
// Worker threads of a backend would keep the process alive; what was printed must be out first.
process.stdout.write('', () => process.exit(code))

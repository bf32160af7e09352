import { access, constants } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { left, right } from 'fp-ts/lib/Either.js'
import { problem } from '../shape/problem.js'
import type { DistantTeacher } from '../training/config/defineTraining.js'
import type { Named } from '../training/loop/trainOptions.js'
import { recordTeacher } from '../training/objectives/recordTeacher.js'
import type { CliCommand } from './parts/command.js'
import { format } from './parts/format.js'
import { messageOf } from './parts/messageOf.js'
import { options } from './parts/options.js'
import { progress } from './parts/progress.js'
import { fitted } from './parts/training/configured.js'
import { openData } from './parts/training/openData.js'
import { readTraining } from './parts/training/readTraining.js'
import { subjectOf } from './parts/training/subjectOf.js'
import { teacherOf } from './parts/training/teacherOf.js'
import { preprocessingOf } from './parts/preprocessingOf.js'

interface TeachOptions {
  readonly out?: string
  readonly batchSize?: number
}

/** `vitrail teach`: asks the teacher of a distillation about all samples, once. */
export const teach: CliCommand<TeachOptions> = {
  usage: 'teach <config>',
  about: 'writes down what the teacher of a distillation says of every sample, so that it need not run as another model learns',
  examples: ['vitrail teach distil.json --out teacher.safetensors', 'vitrail train distil.json --set objective.config.teacher.recorded=teacher.safetensors'],
  options: [options.text('--out <file>', 'where to write (default: teacher.safetensors beside the configuration)'), options.wholeNumber('--batch-size <n>', 'samples at once (default: 64)')],
  run: ([file = ''], { out, batchSize = 64 }, terminal) => async () => {
    const config = await readTraining(file)()
    if (config._tag === 'Left') return config
    const folder = dirname(file)
    const { model, data, objective } = config.right
    const { recorded: _, ...wanted } = ((objective as Named | undefined)?.config?.['teacher'] ?? {}) as DistantTeacher
    if (wanted.model === undefined) return left(problem('teacherMissing', `${file}: names no teacher that could be asked`, { path: 'objective.config.teacher', remedy: 'write "objective": { "name": "distillation", "config": { "teacher": { "model": … } } }' }))
    const path = out ?? join(folder, 'teacher.safetensors')
    // Before the teacher is asked, which may take hours.
    const unwritable = await access(dirname(path), constants.W_OK).then(() => undefined, messageOf)
    if (unwritable !== undefined) return left(problem('fileUnwritable', `${path}: cannot be written: ${unwritable}`))
    const subject = await subjectOf(model, folder)
    if (subject._tag === 'Left') return subject
    const samples = await openData(data, folder)()
    if (samples._tag === 'Left') return samples
    const teacher = await teacherOf(wanted, folder, samples.right.classes)()
    if (teacher._tag === 'Left') return teacher
    for (const remark of teacher.right.remarks) terminal.warn(`vitrail: ${remark}`)
    const bar = await progress(terminal, 'teaching', samples.right.size)
    let shown = 0
    try {
      const usual = preprocessingOf(subject.right.preprocessing, {})
      const done = await recordTeacher(path, teacher.right.teacher, {
        samples: samples.right,
        batchSize: Math.min(batchSize, samples.right.size),
        crop: data.crop ?? usual.crop,
        ...fitted(usual, subject.right.model, data),
        ...(data.interpolation === undefined ? {} : { interpolation: data.interpolation }),
        onBatch: count => (bar.advance(count - shown), void (shown = count)),
      })()
      if (done._tag === 'Left') return done
      bar.stop()
      terminal.print(`${path}: what the teacher says of ${format.count(done.right.samples)} samples; ${(100 * done.right.accuracy).toFixed(2)} % right`)
      return right(0)
    } finally {
      bar.stop()
      teacher.right.teacher.close()
    }
  },
}

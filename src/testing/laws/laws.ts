import { backendsAgree } from './backendsAgree.js'
import { backendsAgreeOnGradients } from './backendsAgreeOnGradients.js'
import { batchIndependence } from './batchIndependence.js'
import { batchStatistics } from './batchStatistics.js'
import { checkpointRoundTrip } from './checkpointRoundTrip.js'
import { determinism } from './determinism.js'
import { dropsFairly } from './dropsFairly.js'
import { featuresAreOutputs } from './featuresAreOutputs.js'
import { gradientsExact } from './gradientsExact.js'
import { gradientsReach } from './gradientsReach.js'
import { jsonRoundTrip } from './jsonRoundTrip.js'
import type { Law } from './core/law.js'
import { misfitsAreRefused } from './misfitsAreRefused.js'
import { nothingLeaks } from './nothingLeaks.js'
import { oracleAgrees } from './oracleAgrees.js'
import { parametersCounted } from './parametersCounted.js'
import { parametersMatter } from './parametersMatter.js'
import { passesKeepGradients } from './passesKeepGradients.js'
import { passesKeepValues } from './passesKeepValues.js'
import { ratesVanish } from './ratesVanish.js'
import { repeatIsSerial } from './repeatIsSerial.js'
import { residualAdds } from './residualAdds.js'
import { serialIsAssociative } from './serialIsAssociative.js'
import { shapesAgree } from './shapesAgree.js'
import { staysFinite } from './staysFinite.js'
import { staysInReach } from './staysInReach.js'
import { tokenOrder } from './tokenOrder.js'
import { windowsKeepApart } from './windowsKeepApart.js'

/** Every law of single models, in the order in which they are checked: what explains a fault best comes first. */
export const laws = {
  shapesAgree,
  misfitsAreRefused,
  parametersCounted,
  batchIndependence,
  staysInReach,
  tokenOrder,
  windowsKeepApart,
  residualAdds,
  repeatIsSerial,
  serialIsAssociative,
  parametersMatter,
  staysFinite,
  oracleAgrees,
  determinism,
  ratesVanish,
  dropsFairly,
  batchStatistics,
  featuresAreOutputs,
  passesKeepValues,
  backendsAgree,
  gradientsReach,
  gradientsExact,
  passesKeepGradients,
  backendsAgreeOnGradients,
  nothingLeaks,
  jsonRoundTrip,
  checkpointRoundTrip,
} as const satisfies Readonly<Record<string, Law>>

export { FAULTS, type Asked, type Fault, type Strikes, type Switch } from './model.ts'
export { refusalBefore, refusalOfOrder, type Quoted } from './rules.ts'
export { HEADER as FAULT_HEADER, Sandboxes, type Meeting } from './service.ts'
export { endUnused } from './sweep.ts'

export type { Figures, Group, RemedyGroup } from './model.ts'
export { FigureBook } from './service.ts'
export { SMALLEST_GROUP } from './rules.ts'

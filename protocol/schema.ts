/**
 * The shapes of the contract, as plain JSON Schema (draft 2020-12) that carries its TypeScript type. A builder of our own
 * of seventy lines: the library that says the same takes 19 MB of the hub's memory and would travel with the SDK.
 */
export type Schema<T = unknown> = { readonly [keyword: string]: unknown } & { readonly [TYPE]?: T }
export type TSchema = Schema
export type Static<S extends Schema> = S extends Schema<infer T> ? T : never

declare const TYPE: unique symbol
declare const OPTIONAL: unique symbol
type Optional = { readonly [OPTIONAL]?: true }

type Properties = { readonly [name: string]: Schema }
type OptionalNames<P extends Properties> = { [N in keyof P]: typeof OPTIONAL extends keyof P[N] ? N : never }[keyof P]
type ObjectOf<P extends Properties> = Flat<{ [N in Exclude<keyof P, OptionalNames<P>>]: Static<P[N]> } & { [N in OptionalNames<P>]?: Static<P[N]> }>
type Flat<T> = { [N in keyof T]: T[N] }

type Words = { readonly title?: string; readonly description?: string; readonly examples?: readonly unknown[]; readonly default?: unknown }
type StringRules = Words & { readonly minLength?: number; readonly maxLength?: number; readonly pattern?: string; readonly format?: 'date-time' }
type IntegerRules = Words & { readonly minimum?: number; readonly maximum?: number }
type ArrayRules = Words & { readonly minItems?: number; readonly maxItems?: number; readonly uniqueItems?: boolean }
type ObjectRules = Words & { readonly additionalProperties?: boolean | Schema; readonly maxProperties?: number }

/** Names of optional fields, kept beside the schemas: nothing of it is in the published document. */
const optional = new WeakSet<Schema>()

export const Type = {
  String: (rules: StringRules = {}): Schema<string> => ({ type: 'string', ...rules }),
  Integer: (rules: IntegerRules = {}): Schema<number> => ({ type: 'integer', ...rules }),
  Number: (rules: IntegerRules = {}): Schema<number> => ({ type: 'number', ...rules }),
  Boolean: (rules: Words = {}): Schema<boolean> => ({ type: 'boolean', ...rules }),
  Null: (rules: Words = {}): Schema<null> => ({ type: 'null', ...rules }),
  /** Any JSON value. */
  Unknown: (rules: Words = {}): Schema<unknown> => ({ ...rules }),
  Literal: <const V extends string | number | boolean>(value: V, rules: Words = {}): Schema<V> => ({ type: typeof value, const: value, ...rules }),
  Union: <const M extends readonly Schema[]>(members: M, rules: Words = {}): Schema<Static<M[number]>> => ({ anyOf: members, ...rules }),
  Array: <S extends Schema>(items: S, rules: ArrayRules = {}): Schema<Static<S>[]> => ({ type: 'array', items, ...rules }),
  /** An object whose field names are the asker's own, each as `name` says. */
  Record: <S extends Schema>(name: Schema<string>, value: S, rules: Words & { readonly maxProperties?: number } = {}): Schema<Record<string, Static<S>>> =>
    ({ type: 'object', ...(Object.keys(name).length > 1 ? { propertyNames: name } : {}), additionalProperties: value, ...rules }),
  Object: <P extends Properties>(properties: P, rules: ObjectRules = {}): Schema<ObjectOf<P>> => {
    const required = Object.keys(properties).filter((name) => !optional.has(properties[name]!))
    return { type: 'object', ...(required.length > 0 ? { required } : {}), properties, ...rules } as Schema<ObjectOf<P>>
  },
  /** A field that may be left out. */
  Optional: <S extends Schema>(schema: S): S & Optional => {
    const copy = { ...schema } as S & Optional
    optional.add(copy)
    return copy
  },
}

import { ProtobufWriter } from './protobuf.js'

/** Element types of ONNX tensors that programs use (TensorProto.DataType). */
export const elementTypes = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10 } as const
export type ElementType = keyof typeof elementTypes

/** Attributes of an ONNX node: integers are told from floats by the wrapper, because JavaScript has one number type. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly text: string }

export interface OnnxNode {
  readonly type: string
  /** Operator set: `''` is ai.onnx. */
  readonly domain?: string
  /** Unique in the graph: ONNX Runtime refuses two nodes of the same name. */
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>
}

export interface OnnxValue {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly number[]
}

/** A constant: its values, or the name of the external data that the session is given beside the model. */
export type OnnxInitializer = OnnxValue &
  ({ readonly data: Uint8Array } | { readonly external: string; readonly byteLength: number })

export interface OnnxModel {
  readonly name: string
  readonly nodes: readonly OnnxNode[]
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly initializers: readonly OnnxInitializer[]
}

/** The lowest operator set that has every op we emit; IR version 10 belongs to it. */
const opset = 21
const irVersion = 10

/** Serialises a model (onnx/onnx.proto, ModelProto). */
export function encodeModel(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const graph = new ProtobufWriter(64 * 1024)
  for (const node of model.nodes) graph.message(1, encodeNode(node))
  graph.text(2, model.name)
  for (const initializer of model.initializers) graph.message(5, encodeInitializer(initializer))
  for (const input of model.inputs) graph.message(11, encodeValue(input))
  for (const output of model.outputs) graph.message(12, encodeValue(output))

  return new ProtobufWriter(graph.finish().byteLength + 128)
    .integer(1, irVersion)
    .text(2, 'collimate')
    .message(7, graph)
    .message(8, new ProtobufWriter().text(1, '').integer(2, opset))
    .message(8, new ProtobufWriter().text(1, 'com.microsoft').integer(2, 1))
    .finish()
}

function encodeNode(node: OnnxNode): ProtobufWriter {
  const writer = new ProtobufWriter()
  for (const input of node.inputs) writer.text(1, input)
  for (const output of node.outputs) writer.text(2, output)
  writer.text(3, node.name).text(4, node.type)
  for (const [name, value] of Object.entries(node.attributes ?? {})) writer.message(5, encodeAttribute(name, value))
  if (node.domain) writer.text(7, node.domain)
  return writer
}

function encodeAttribute(name: string, value: OnnxAttribute): ProtobufWriter {
  const writer = new ProtobufWriter().text(1, name)
  if ('float' in value) return writer.float(2, value.float).integer(20, 1)
  if ('int' in value) return writer.integer(3, value.int).integer(20, 2)
  if ('text' in value) return writer.text(4, value.text).integer(20, 3)
  for (const entry of value.ints) writer.integer(8, entry)
  return writer.integer(20, 7)
}

function encodeInitializer(initializer: OnnxInitializer): ProtobufWriter {
  const writer = new ProtobufWriter('data' in initializer ? initializer.data.byteLength + 64 : 128)
  for (const size of initializer.shape) writer.integer(1, size)
  writer.integer(2, elementTypes[initializer.type]).text(8, initializer.name)
  if ('data' in initializer) return writer.bytes(9, initializer.data)
  const entries = { location: initializer.external, offset: '0', length: String(initializer.byteLength) }
  for (const [key, value] of Object.entries(entries))
    writer.message(13, new ProtobufWriter().text(1, key).text(2, value))
  return writer.integer(14, 1)
}

function encodeValue(value: OnnxValue): ProtobufWriter {
  const shape = new ProtobufWriter()
  for (const size of value.shape) shape.message(1, new ProtobufWriter().integer(1, size))
  const tensor = new ProtobufWriter().integer(1, elementTypes[value.type]).message(2, shape)
  return new ProtobufWriter().text(1, value.name).message(2, new ProtobufWriter().message(1, tensor))
}

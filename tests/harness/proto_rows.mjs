// Rows of any proto shape for AppendRows: a DescriptorProto and its encoder from one list of fields.
// A field: { name, type: 'int64' | 'string' | 'enum' | '.google.protobuf.Int64Value' | [fields of a message] …,
// repeated, required, column (the name by the column_name option) }.
import protobuf from 'protobufjs';

const values = { Name: { ZERO: 0, ONE: 1, TWO: 2 } };
const wrapped = { DoubleValue: 'double', FloatValue: 'float', Int64Value: 'int64', UInt64Value: 'uint64', Int32Value: 'int32',
  UInt32Value: 'uint32', BoolValue: 'bool', StringValue: 'string', BytesValue: 'bytes' };

function wellKnown(name) {
  const short = name.split('.').pop();
  const fields = short === 'Timestamp' || short === 'Duration' ? [['seconds', 1, 'int64'], ['nanos', 2, 'int32']] : [['value', 1, wrapped[short]]];
  const type = new protobuf.Type(short);
  fields.forEach(([field, number, kind]) => type.add(new protobuf.Field(field, number, kind)));
  return type;
}

function build(name, fields) {
  const type = new protobuf.Type(name);
  const descriptor = { name, field: [], nestedType: [], enumType: [] };
  fields.forEach((field, i) => {
    const number = field.number ?? i + 1;
    const entry = { name: field.name, number, label: field.repeated ? 3 : field.required ? 2 : 1 };
    let kind = field.type;
    if (Array.isArray(kind)) {
      const inner = build(`M_${field.name}`, kind);
      type.add(inner.type);
      descriptor.nestedType.push(inner.descriptor);
      kind = inner.type.name;
      Object.assign(entry, { type: 11, typeName: kind });
    } else if (kind === 'enum') {
      if (descriptor.enumType.length === 0) {
        type.add(new protobuf.Enum('Name', values.Name));
        descriptor.enumType.push({ name: 'Name', value: Object.entries(values.Name).map(([text, value]) => ({ name: text, number: value })) });
      }
      kind = 'Name';
      Object.assign(entry, { type: 14, typeName: 'Name' });
    } else if (kind.startsWith('.')) {
      const inner = wellKnown(kind);
      if (!type.get(inner.name)) type.add(inner);
      Object.assign(entry, { type: 11, typeName: kind });
      kind = inner.name;
    } else {
      entry.type = { double: 1, float: 2, int64: 3, uint64: 4, int32: 5, fixed64: 6, bool: 8, string: 9, bytes: 12, uint32: 13 }[kind];
    }
    if (field.column) entry.options = { '.google.cloud.bigquery.storage.v1.columnName': field.column };
    descriptor.field.push(entry);
    type.add(new protobuf.Field(field.name, number, kind, field.repeated ? 'repeated' : undefined, undefined,
      field.repeated ? { packed: field.packed ?? false } : undefined));
  });
  return { type, descriptor };
}

// { descriptor, encode(row) }
export function protoRows(fields, name = 'Row') {
  const { type, descriptor } = build(name, fields);
  new protobuf.Root().add(type);
  return { descriptor, encode: (row) => Buffer.from(type.encode(type.create(row)).finish()) };
}

// An AppendRowsRequest's parts.
export function protoRequest(writeStream, { descriptor, encode }, rows, more = {}) {
  return { writeStream, protoRows: { writerSchema: { protoDescriptor: descriptor }, rows: { serializedRows: rows.map(encode) } }, ...more };
}

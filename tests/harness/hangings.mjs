// What a customer hangs on a table: a policy tag, a description of a column and of the table, a label, a row access
// policy, a grant. And the REST calls that hang it there and find it again.
import assert from 'node:assert/strict';
import { fetchSeen, project } from './clients.mjs';

const tag = { names: ['projects/p/locations/us/taxonomies/1/policyTags/2'] };

// rest(method, path below /datasets/, body): the answer's body; anything but success is an assertion's error.
export function datasetsRest(server) {
  return async (method, path, body) => {
    const answer = await fetchSeen(`${server.endpoint}/bigquery/v2/projects/${project}/datasets/${path}`,
      { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
}

// Words alone, which every way of publishing keeps.
export async function hangWords(rest, datasetId, tableId) {
  await rest('PATCH', `${datasetId}/tables/${tableId}`, { description: 'the customer’s own words', labels: { team: 'finance' } });
}

// `policy`: with a row access policy.
export async function hang(rest, datasetId, tableId, column, { policy = true } = {}) {
  const path = `${datasetId}/tables/${tableId}`;
  const { schema } = await rest('GET', path);
  for (const field of schema.fields) if (field.name === column) Object.assign(field, { policyTags: tag, description: 'theirs' });
  await rest('PATCH', path, { schema, description: 'the customer’s own words', labels: { team: 'finance' } });
  if (policy) {
    await rest('POST', `${path}/rowAccessPolicies`, {
      rowAccessPolicyReference: { projectId: project, datasetId, tableId, policyId: 'vip' },
      filterPredicate: 'id < 1000000', grantees: ['allUsers'] });
  }
  await rest('POST', `${path}:setIamPolicy`,
    { policy: { bindings: [{ role: 'roles/bigquery.dataViewer', members: ['group:analysts@example.com'] }] } });
}

export async function hangsOn(rest, datasetId, tableId) {
  const path = `${datasetId}/tables/${tableId}`;
  const { description, labels, creationTime, tableConstraints, schema } = await rest('GET', path);
  const { rowAccessPolicies } = await rest('GET', `${path}/rowAccessPolicies`);
  const { bindings } = await rest('POST', `${path}:getIamPolicy`, {});
  return { description, labels, creationTime, tableConstraints, bindings,
    tags: schema.fields.filter((field) => field.policyTags).map((field) => [field.name, field.description, field.policyTags]),
    policies: rowAccessPolicies?.map((policy) => [policy.rowAccessPolicyReference.policyId, policy.filterPredicate]) };
}

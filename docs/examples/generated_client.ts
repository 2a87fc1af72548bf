// The generated TypeScript client: creates, renames and lists projects as an API client.
//
// Run make clients first, which also installs Deno. Other runtimes for TypeScript work as well.
//
//   LOGTO=http://localhost:3001 WORKROOM=http://localhost:3000 RESOURCE=https://api.workroom.example \
//   ORGANIZATION=… CLIENT_ID=… CLIENT_SECRET=… \
//   .venv/bin/deno run --config build/clients/typescript/deno.json --allow-env --allow-net docs/examples/generated_client.ts

import process from "node:process";
import { Configuration, type Problem, ProjectsApi, type ProjectSummaryView, ResponseError } from "api-client";

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const organizationId = setting("ORGANIZATION");

/** Ask Logto for a token of the API client, for this organization. */
async function getToken(): Promise<string> {
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    resource: setting("RESOURCE"),
    organization_id: organizationId,
    scope: "projects:read projects:write",
  });
  const credentials = btoa(`${setting("CLIENT_ID")}:${setting("CLIENT_SECRET")}`);
  const headers = { Authorization: `Basic ${credentials}` };
  const answer = await fetch(`${setting("LOGTO")}/oidc/token`, { method: "POST", body, headers });
  if (!answer.ok) throw new Error(`Logto: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).access_token;
}

const accessToken = await getToken();
const projects = new ProjectsApi(new Configuration({ basePath: setting("WORKROOM"), accessToken }));

/** Yield every project, page by page. */
async function* listAll(): AsyncGenerator<ProjectSummaryView> {
  let cursor: string | undefined;
  do {
    const page = await projects.listProjects({ organizationId, sort: "name", cursor });
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

const created = await projects.createProjectRaw({
  organizationId,
  newProject: { name: "Typed build" },
  idempotencyKey: crypto.randomUUID(), // a repeated request creates no second project
});
const project = await created.value();
const projectId = project.id;

const newTasks = { items: [1, 2, 3].map((number) => ({ title: `Module ${number}` })) };
const added = await projects.createTasks({ organizationId, projectId, newTasks });
console.log(`${added.ids.length} tasks in ${project.name}`);

const renamed = await projects.changeProject({
  organizationId,
  projectId,
  ifMatch: created.raw.headers.get("ETag") ?? "*", // 412 if somebody else has changed it since
  projectChanges: { name: "Typed build, 1" },
});
console.log(`version ${renamed.version} is called ${renamed.name}`);

for await (const found of listAll()) {
  console.log(`${found.name}: ${found.openTasks} open, ${found.doneTasks} done`);
}

try {
  await projects.deleteProject({ organizationId, projectId });
} catch (error) {
  if (!(error instanceof ResponseError)) throw error;
  const problem: Problem = await error.response.json();
  console.log(`${problem.status} ${problem.code}: ${problem.detail}`);
}

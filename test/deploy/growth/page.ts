/** The size of a broker: its connections, and the groups in which they share a `mint`. Without groups each has its own. */
export interface Shape {
  readonly connections: number;
  readonly groups?: number;
}

/** The size of one template. */
export interface TemplateSize {
  readonly name: string;
  readonly resources: number;
  readonly bytes: number;
}

/** The measures of one deployment. */
export interface Measured {
  readonly shape: Shape;
  readonly templates: readonly TemplateSize[];
  /** Resources that the account had, of this stack and those within it. */
  readonly deployed: number;
  /** Seconds by step. */
  readonly seconds: readonly (readonly [step: string, seconds: number])[];
}

/** Says how large a broker is. */
export function describeShape({ connections, groups }: Shape): string {
  return groups === undefined
    ? `${connections} isolated connections with a proxy`
    : `${connections} connections in ${groups} groups`;
}

/** Writes what was measured. */
export function describeGrowth(measured: readonly Measured[]): string {
  return measured.map(describeOne).join('\n\n');
}

function describeOne({ shape, templates, deployed, seconds }: Measured): string {
  const rows = templates.map(
    ({ name, resources, bytes }) => `| ${name} | ${resources} | ${Math.ceil(bytes / 1_000).toLocaleString('en')} |`,
  );
  const kilobytes = templates.reduce((sum, { bytes }) => sum + bytes, 0) / 1_000;
  return `## ${describeShape(shape)}

| step | seconds |
| --- | ---: |
${seconds.map(([step, took]) => `| ${step} | ${took.toFixed(1)} |`).join('\n')}

| template | resources | KB |
| --- | ---: | ---: |
${rows.join('\n')}
| **all ${templates.length}** | **${deployed}** | **${Math.ceil(kilobytes).toLocaleString('en')}** |`;
}

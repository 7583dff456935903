import { type ExecFileException, execFile } from 'node:child_process';
import { access, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_FOLDER } from '../system/broker-process.ts';

/** Everything that is installed for these tests; ignored by git, and made again when it is gone. */
const CACHE = join(PROJECT_FOLDER, 'node_modules/.cache/calling');
const PYTHON_PACKAGES = ['botocore==1.44.5', 'requests-oauthlib==2.0.0'];
const GO_PACKAGES = [
  'github.com/aws/aws-sdk-go-v2@v1.47.7',
  'github.com/aws/aws-sdk-go-v2/config@v1.33.15',
  'golang.org/x/oauth2@v0.37.0',
];
const WITHIN_MS = 240_000;

/** The result of a program. */
export interface Ran {
  readonly failed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs programs with these variables beside PATH and HOME, and none of the machine's own AWS settings. */
export interface Languages {
  shell(script: string, variables: Variables): Promise<Ran>;
  python(script: string, variables: Variables): Promise<Ran>;
  go(program: string, variables: Variables): Promise<Ran>;
  java(program: string, variables: Variables): Promise<Ran>;
  /** Compiles with Mono's compiler, where there is no .NET. */
  csharp(program: string, variables: Variables): Promise<Ran>;
  node(program: string, variables: Variables): Promise<Ran>;
}

type Variables = Readonly<Record<string, string>>;

/** Installs the packages of each language that are not there yet. Rejects with what the installer printed. */
export async function prepareLanguages(): Promise<Languages> {
  await mkdir(CACHE, { recursive: true });
  const python = await preparePython();
  const goFolder = await prepareGo();
  return {
    shell: (script, variables) => run('sh', [script], variables),
    python: (script, variables) => run(python, [script], variables),
    async go(program, variables) {
      await copyFile(program, join(goFolder, 'main.go'));
      return run('go', ['run', '-mod=mod', '.'], { ...goVariables, ...variables }, goFolder);
    },
    java: (program, variables) => run('java', [program], variables),
    async csharp(program, variables) {
      const built = join(CACHE, 'program.exe');
      await mustRun('mcs', ['-r:System.Net.Http', `-out:${built}`, program]);
      return run('mono', [built], variables);
    },
    node: (program, variables) => run(process.execPath, [program], variables),
  };
}

async function preparePython(): Promise<string> {
  const folder = join(CACHE, 'python');
  const python = join(folder, 'bin/python');
  if (!(await exists(python))) await mustRun('python3', ['-m', 'venv', folder]);
  await mustRun(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PYTHON_PACKAGES]);
  return python;
}

// Writable, or else not even `npm ci` could remove them.
const goVariables = { GOPATH: join(CACHE, 'go'), GOCACHE: join(CACHE, 'go-build'), GOFLAGS: '-modcacherw' };

async function prepareGo(): Promise<string> {
  const folder = join(CACHE, 'go-program');
  await mkdir(folder, { recursive: true });
  if (await exists(join(folder, 'go.sum'))) return folder;
  await writeFile(join(folder, 'go.mod'), 'module example\n\ngo 1.24\n');
  await mustRun('go', ['get', ...GO_PACKAGES], goVariables, folder);
  return folder;
}

async function mustRun(
  program: string,
  parameters: string[],
  variables: Variables = {},
  folder = CACHE,
): Promise<void> {
  const { failed, stdout, stderr } = await run(program, parameters, variables, folder);
  if (failed) throw new Error(`${program} ${parameters.join(' ')} failed: ${stdout}${stderr}`);
}

function run(program: string, parameters: string[], variables: Variables, folder = PROJECT_FOLDER): Promise<Ran> {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { ...own, ...variables }, timeout: WITHIN_MS };
    execFile(program, parameters, options, (error: ExecFileException | null, stdout, stderr) =>
      resolve({
        failed: error !== null,
        stdout,
        stderr: error?.code === 'ENOENT' ? `${program} is not there` : stderr,
      }),
    );
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

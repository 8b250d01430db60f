// Performs the content steps of a Dockerfile without an engine: each stage is a folder that stands for its root file system.
// Understands what deploy/docker/Dockerfile uses and refuses the rest. Steps run on this machine, so a Dockerfile keeps to
// relative paths inside its WORKDIR.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';

/** The instructions of a Dockerfile, grouped into stages: `[{name, from, steps: [{instruction, value}]}]`. */
export function parseDockerfile(text) {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages = [];
  for (const line of lines) {
    const [, instruction, value] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (!instruction) throw new Error(`not a Dockerfile instruction: ${line}`);
    const [, from, , name] = instruction === 'FROM' ? /^(\S+)(\s+AS\s+(\S+))?$/.exec(value) : [];
    if (from) stages.push({ name: name ?? 'final', from, steps: [] });
    else stages.at(-1).steps.push({ instruction, value });
  }
  return stages;
}

/** Whether the .dockerignore text keeps a path out of the build context; the last pattern that matches decides. */
export function ignored(patterns, path) {
  let out = false;
  for (const pattern of patterns) {
    const glob = pattern.replace(/^!/, '');
    if (pathPattern(glob).test(path)) out = !pattern.startsWith('!');
  }
  return out;
}

/** Docker's patterns, unlike shells', let `*` match names with a leading dot; a folder stands for all it holds. */
function pathPattern(glob) {
  const parts = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };
  const source = glob.replaceAll(/\*\*\/|\*\*|[*?]|[\\^$.|+()[\]{}]/g, (found) => parts[found] ?? `\\${found}`);
  return new RegExp(`^${source}(?:/|$)`);
}

/** The files of the build context: everything under `root` that .dockerignore lets through. */
export function contextFiles(root) {
  const patterns = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const skip = (path) => /(^|\/)(node_modules|\.git)$/.test(path);
  return globSync('{*,.*,{apps,libs,deploy,tools}/**/{*,.*}}', { cwd: root, exclude: skip })
    .filter((file) => statSync(join(root, file)).isFile() && !ignored(patterns, file))
    .toSorted();
}

/**
 * Builds `target` under `folder` and returns it: `{root, workdir, env, user, cmd, healthcheck}`.
 * `shared` keeps stages that no build argument touched, for the next call.
 */
export function buildStage(stages, target, { context, folder, args, run, shared }) {
  const stage = stages.find((s) => s.name === target);
  const base = stages.some((s) => s.name === stage.from)
    ? buildStage(stages, stage.from, { context, folder, args, run, shared })
    : { root: null, workdir: '/', env: {}, user: '0:0', particular: false };
  const particular = base.particular || stage.steps.some(({ instruction }) => instruction === 'ARG');
  if (!particular && shared.has(target)) return shared.get(target);
  const root = join(folder, particular ? `${target}-${Object.values(args).join('-')}` : target);
  mkdirSync(root, { recursive: true });
  if (base.root) link(base.root, root);
  const result = { ...base, root, env: { ...base.env }, particular };
  const known = {};
  const inside = (path) => join(root, isAbsolute(path) ? path : join(result.workdir, path));
  const copy = (value) => {
    const words = value.split(/\s+/);
    const from = words[0].startsWith('--from=') ? words.shift().slice('--from='.length) : null;
    const to = words.pop();
    if (from) {
      const other = buildStage(stages, from, { context, folder, args, run, shared });
      for (const path of words) link(join(other.root, path), inside(to));
      return;
    }
    for (const path of words) {
      const files = contextFiles(context).filter((file) => file === path || file.startsWith(`${path}/`));
      if (files.length === 0) throw new Error(`COPY ${path}: nothing there, or .dockerignore keeps it out`);
      for (const file of files) {
        cpSync(
          join(context, file),
          file === path ? join(inside(to), basename(file)) : inside(join(to, file.slice(path.length))),
        );
      }
    }
  };
  const perform = {
    ARG: (value) => (known[value] = args[value] ?? missingArgument(value)),
    ENV: (value) =>
      Object.assign(result.env, Object.fromEntries(value.split(/\s+/).map((pair) => pair.split(/=(.*)/s, 2)))),
    WORKDIR: (value) => mkdirSync(join(root, (result.workdir = resolve(result.workdir, value))), { recursive: true }),
    COPY: copy,
    RUN: (value) => run(value.replaceAll(/--mount=\S+\s+/g, ''), { cwd: inside('.'), env: result.env }),
    USER: (value) => (result.user = value),
    CMD: (value) => (result.cmd = JSON.parse(value)),
    HEALTHCHECK: (value) => (result.healthcheck = JSON.parse(value.replace(/^.*?CMD\s+/, ''))),
    EXPOSE: () => {},
    STOPSIGNAL: () => {},
  };
  for (const { instruction, value } of stage.steps) {
    if (!perform[instruction]) throw new Error(`this check does not know ${instruction}; teach it, or do without`);
    perform[instruction](value.replaceAll(/\$\{(\w+)\}/g, (text, name) => known[name] ?? text));
  }
  if (!particular) shared.set(target, result);
  return result;
}

/** Copies a folder by hard links: steps replace files, they do not write into them. */
function link(from, to) {
  mkdirSync(to, { recursive: true });
  const { status, stderr } = spawnSync('cp', ['--archive', '--link', `${from}/.`, to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`COPY ${from}: ${stderr}`);
}

function missingArgument(name) {
  throw new Error(`the build argument ${name} is not given`);
}

/** A `run` for `buildStage`: a shell in the stage's folder with the given programs first on the PATH. */
export function shell(path) {
  return (command, { cwd, env }) => {
    // What `npm run` sets would lead a nested npm back to this workspace; the registry it may use stays.
    const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS|INIT_CWD)/.test(name));
    const result = spawnSync('sh', ['-c', command], {
      cwd,
      env: { ...Object.fromEntries(inherited), ...env, PATH: path },
      encoding: 'utf8',
    });
    if (result.status === 0) return;
    throw new Error(`RUN ${command} failed:\n${(result.stdout + result.stderr).slice(-2_000)}`);
  };
}

export function exists(stage, path) {
  return existsSync(join(stage.root, path));
}

/**
 * Stand-in for `jsr:@std/log` where JSR is out of reach: the part that this
 * project uses, with Deno's own files.
 *
 * @module
 */

/** The levels, from the least to the most urgent. */
export const LogLevels = {
  NOTSET: 0,
  DEBUG: 10,
  INFO: 20,
  WARN: 30,
  ERROR: 40,
  CRITICAL: 50,
} as const;
export type LevelName = keyof typeof LogLevels;
export type LogLevel = (typeof LogLevels)[LevelName];

/** One message on its way to the handlers. */
class LogRecord {
  readonly msg: string;
  readonly args: unknown[];
  readonly level: LogLevel;
  readonly levelName: LevelName;
  readonly loggerName: string;
  readonly datetime: Date = new Date();

  constructor(options: {
    msg: string;
    args: unknown[];
    level: LogLevel;
    loggerName: string;
  }) {
    this.msg = options.msg;
    this.args = options.args;
    this.level = options.level;
    this.levelName = levelName(options.level);
    this.loggerName = options.loggerName;
  }
}

export type { LogRecord };

export type FormatterFunction = (logRecord: LogRecord) => string;

export interface BaseHandlerOptions {
  /** Makes the text of a record; by default its level and message. */
  formatter?: FormatterFunction;
}

/** Somewhere that records of at least a level go to. */
export abstract class BaseHandler {
  readonly levelName: LevelName;
  formatter: FormatterFunction;

  constructor(levelName: LevelName, options: BaseHandlerOptions = {}) {
    this.levelName = levelName;
    this.formatter = options.formatter ??
      ((record) => `${record.levelName} ${record.msg}`);
  }

  handle(logRecord: LogRecord): void {
    if (logRecord.level < LogLevels[this.levelName]) return;
    this.log(this.format(logRecord));
  }

  format(logRecord: LogRecord): string {
    return this.formatter(logRecord);
  }

  abstract log(msg: string): void;
  setup(): void {}
  destroy(): void {}
}

export interface ConsoleHandlerOptions extends BaseHandlerOptions {
  /** Colours by level; true unless told otherwise. */
  useColors?: boolean;
}

/** Prints records to standard output. */
export class ConsoleHandler extends BaseHandler {
  readonly #useColors: boolean;

  constructor(levelName: LevelName, options: ConsoleHandlerOptions = {}) {
    super(levelName, options);
    this.#useColors = (options.useColors ?? true) && !Deno.noColor;
  }

  override format(logRecord: LogRecord): string {
    const text = super.format(logRecord);
    const color = COLORS[logRecord.levelName];
    return this.#useColors && color ? `\x1b[${color}m${text}\x1b[39m` : text;
  }

  override log(msg: string): void {
    console.log(msg);
  }
}

const COLORS: Partial<Record<LevelName, number>> = {
  INFO: 34,
  WARN: 33,
  ERROR: 31,
  CRITICAL: 31,
};

export interface FileHandlerOptions extends BaseHandlerOptions {
  filename: string;
  /** "a" appends (the default), "w" begins anew, "x" wants no such file yet. */
  mode?: "a" | "w" | "x";
  /** Bytes that are held back before they are written; 4096 by default. */
  bufferSize?: number;
}

/** Writes records to a file, a line each. */
export class FileHandler extends BaseHandler {
  readonly #options: FileHandlerOptions;
  readonly #buffer: Uint8Array;
  readonly #destroy = () => this.destroy();
  #length = 0;
  #file: Deno.FsFile | undefined;

  constructor(levelName: LevelName, options: FileHandlerOptions) {
    super(levelName, options);
    this.#options = options;
    this.#buffer = new Uint8Array(options.bufferSize ?? 4096);
  }

  override setup(): void {
    const { filename, mode = "a" } = this.#options;
    this.#file = Deno.openSync(filename, {
      write: true,
      create: mode !== "x",
      createNew: mode === "x",
      append: mode === "a",
      truncate: mode !== "a",
    });
    addEventListener("unload", this.#destroy);
  }

  override handle(logRecord: LogRecord): void {
    super.handle(logRecord);
    if (logRecord.level > LogLevels.ERROR) this.flush();
  }

  override log(msg: string): void {
    const bytes = new TextEncoder().encode(`${msg}\n`);
    if (bytes.length > this.#buffer.length - this.#length) this.flush();
    if (bytes.length > this.#buffer.length) {
      this.#write(bytes);
    } else {
      this.#buffer.set(bytes, this.#length);
      this.#length += bytes.length;
    }
  }

  /** Writes what was held back. */
  flush(): void {
    this.#write(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }

  override destroy(): void {
    this.flush();
    this.#file?.close();
    this.#file = undefined;
    removeEventListener("unload", this.#destroy);
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; this.#file && done < bytes.length;) {
      done += this.#file.writeSync(bytes.subarray(done));
    }
  }
}

/** What a program calls to log. Each method returns what it was given. */
export class Logger {
  readonly loggerName: string;
  levelName: LevelName;
  handlers: BaseHandler[];

  constructor(
    loggerName: string,
    levelName: LevelName,
    options: { handlers?: BaseHandler[] } = {},
  ) {
    this.loggerName = loggerName;
    this.levelName = levelName;
    this.handlers = options.handlers ?? [];
  }

  debug<T>(msg: T, ...args: unknown[]): T {
    return this.#log("DEBUG", msg, args);
  }
  info<T>(msg: T, ...args: unknown[]): T {
    return this.#log("INFO", msg, args);
  }
  warn<T>(msg: T, ...args: unknown[]): T {
    return this.#log("WARN", msg, args);
  }
  error<T>(msg: T, ...args: unknown[]): T {
    return this.#log("ERROR", msg, args);
  }
  critical<T>(msg: T, ...args: unknown[]): T {
    return this.#log("CRITICAL", msg, args);
  }

  #log<T>(name: LevelName, msg: T, args: unknown[]): T {
    const level = LogLevels[name];
    if (level < LogLevels[this.levelName]) return msg;
    const { loggerName } = this;
    const record = new LogRecord({ msg: String(msg), args, level, loggerName });
    for (const handler of this.handlers) handler.handle(record);
    return msg;
  }
}

export interface LogConfig {
  handlers?: Record<string, BaseHandler>;
  loggers?: Record<string, { level?: LevelName; handlers?: string[] }>;
}

const handlers = new Map<string, BaseHandler>();
const loggers = new Map<string, Logger>();

/** Replaces all handlers and loggers; closes the handlers that there were. */
export function setup(config: LogConfig): void {
  for (const handler of handlers.values()) handler.destroy();
  handlers.clear();
  loggers.clear();
  const console = { default: new ConsoleHandler("INFO") };
  const standard = { default: { handlers: ["default"] } };
  for (
    const [name, handler] of Object.entries({ ...console, ...config.handlers })
  ) {
    handler.setup();
    handlers.set(name, handler);
  }
  for (
    const [name, { level = "INFO", handlers: names = [] }] of Object.entries({
      ...standard,
      ...config.loggers,
    } as NonNullable<LogConfig["loggers"]>)
  ) {
    const chosen = names.flatMap((name) => handlers.get(name) ?? []);
    loggers.set(name, new Logger(name, level, { handlers: chosen }));
  }
}

setup({});

/** The logger of that name, the default one without; a new one logs nothing. */
export function getLogger(name = "default"): Logger {
  let logger = loggers.get(name);
  if (!logger) {
    logger = new Logger(name, "NOTSET");
    loggers.set(name, logger);
  }
  return logger;
}

function levelName(level: LogLevel): LevelName {
  const names = Object.keys(LogLevels) as LevelName[];
  return names.find((name) => LogLevels[name] === level) ?? "NOTSET";
}

export { loadFolder } from './load.ts';
export { type FileProblem, printProblem } from './problem.ts';
export { type FolderOptions, type FolderWatch, watchFolder } from './watch.ts';

/**
 * Preact, in one place, so that all parts of the page use the same version.
 *
 * @module
 */
export {
  type ComponentChildren,
  createContext,
  Fragment,
  type JSX,
  render,
  type VNode,
} from "npm:preact@11.2.0";
export {
  useContext,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "npm:preact@11.2.0/hooks";

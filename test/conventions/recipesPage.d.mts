/** A section a family, and its picture. */
export declare const sections: () => Promise<readonly { readonly family: string; readonly text: string; readonly svg: string }[]>

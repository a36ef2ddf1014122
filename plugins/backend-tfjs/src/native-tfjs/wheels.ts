/** TensorFlow's libraries without and with CUDA. */
export type Variant = 'cpu' | 'cuda'

/** A wheel of TensorFlow, of which only the C libraries and their headers are taken: Python never runs. */
export interface Wheel {
  /** As in the wheel's file name; pip takes it with underscores too. */
  readonly project: string
  readonly version: string
  readonly megabytes: number
  /** sha256 of the wheel, in hex. */
  readonly sha256: string
  /** sha256 of each library in it, in hex. */
  readonly libraries: Readonly<Record<'libtensorflow_cc.so.2' | 'libtensorflow_framework.so.2', string>>
}

/** The release of `@tensorflow/tfjs-node`, whose npm tarball carries the sources of its binding. */
export const tfjsVersion = '4.22.0'

/** The wheels of CPython 3.11 for manylinux 2.17, whatever Python is installed: one wheel has one checksum. */
export const wheels: Readonly<Record<Variant, Wheel>> = {
  cpu: {
    project: 'tensorflow_cpu',
    version: '2.18.1',
    megabytes: 230,
    sha256: '810c75d7149d2da0cb2092187817b0dcabb80728ca9f9cf3a61f3f42fadd1298',
    libraries: {
      'libtensorflow_cc.so.2': '2f274b53cb45231acf63aa4a60d2e9417e18d3f6c5237d0eb113948e851bd425',
      'libtensorflow_framework.so.2': 'c8dbe0f4a072f239418f513d87d0bfddb9f403b7fc93a3d11d17d6e99db26a83',
    },
  },
  cuda: {
    project: 'tensorflow',
    version: '2.18.1',
    megabytes: 620,
    sha256: 'c9f87e5d2a680a4595f5dc30daf6bbaec9d4129b46d7ef1b2af63c46ac7d2828',
    libraries: {
      'libtensorflow_cc.so.2': 'f0274f371a2da3bfbab6423bfd60cd014f489ed4ac73132cc5ca731f68ed3667',
      'libtensorflow_framework.so.2': 'ca67fab9244cffd692ac292b18f75c0d34a0441a8f0e33a6dc113b1ee522622f',
    },
  },
}

/** What the CUDA libraries of the wheel open when a GPU is used (METADATA of tensorflow 2.18.1, extra `and-cuda`). */
export const cudaNeeds =
  'an NVIDIA driver for CUDA 12.5 or later, and on LD_LIBRARY_PATH CUDA 12 (libcudart.so.12, libcublas.so.12, ' +
  'libcublasLt.so.12, libcufft.so.11, libcurand.so.10, libcusolver.so.11, libcusparse.so.12, libnvJitLink.so.12, ' +
  'libnvrtc.so.12) and cuDNN 9 (libcudnn.so.9)'
